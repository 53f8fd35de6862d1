-- A member gets a schema of its name, which stands first on its search_path. Role trailhound cannot make it by itself: it
-- has no CREATE on the database, since a schema named after somebody else would stand first on theirs.
create or replace function trailhound.make_schema_of(owner name) returns void
language plpgsql security definer set search_path = pg_catalog as $$
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
