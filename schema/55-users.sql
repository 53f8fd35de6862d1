-- A member gets a schema of its name, which stands first on its search_path. Role trailhound cannot make it by itself: it
-- has no CREATE on the database, since a schema named after somebody else would stand first on theirs.
create or replace function trailhound.make_schema_of(owner name) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not exists (
    select from pg_auth_members m join pg_roles r on r.oid = m.roleid
    where r.rolname = owner and not r.rolsuper and m.admin_option and m.member = session_user::regrole)
  then
    raise exception using errcode = '42501', message = format('role "%s" is none of those that %s made', owner, session_user);
  end if;
  execute format('create schema %1$I authorization %1$I', owner);
end $$;
comment on function trailhound.make_schema_of(name) is 'Makes the schema of a role that the caller administers';
revoke all on function trailhound.make_schema_of(name) from public;
grant execute on function trailhound.make_schema_of(name) to trailhound;

-- Rows of a role's scans are kept for later statements of its own, and granted to it: PostgreSQL would not drop it.
create or replace function trailhound.forget_rows_of(of_role name) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  relation name;
begin
  delete from trailhound.kept_scan;
  for relation in
    select distinct c.relname from pg_class c, aclexplode(c.relacl) a
    where c.relnamespace = 'trailhound_rows'::regnamespace and a.grantee = (select oid from pg_roles where rolname = of_role)
  loop
    begin
      execute format('revoke all on trailhound_rows.%I from %I', relation, of_role);
    exception when undefined_table then null;
    end;
  end loop;
end $$;
comment on function trailhound.forget_rows_of(name) is 'Forgets what is kept of scans, so that a role can be dropped';
revoke all on function trailhound.forget_rows_of(name) from public;
grant execute on function trailhound.forget_rows_of(name) to trailhound;
