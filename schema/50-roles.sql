do $$
begin
  if exists (select from pg_roles where rolname = 'trailhound' and rolsuper) then
    perform trailhound.raise('F0000', 'role trailhound is a superuser of the engine',
      'Clients log in as trailhound, which must not be one.',
      'Connect to the engine as another superuser: the name trailhound has to be free.');
  end if;
  if not exists (select from pg_roles where rolname = 'trailhound') then
    create role trailhound;
  end if;
  if not exists (select from pg_roles where rolname = 'trailhound_reader') then
    create role trailhound_reader;
  end if;
  if not exists (select from pg_roles where rolname = 'trailhound_admin') then
    create role trailhound_admin;
  end if;
  if not exists (select from pg_roles where rolname = 'trailhound_loopback') then
    create role trailhound_loopback;
  end if;
end $$;
alter role trailhound login createrole nosuperuser nocreatedb noreplication nobypassrls inherit;
alter role trailhound_reader nologin nosuperuser nocreaterole nocreatedb noreplication nobypassrls;
alter role trailhound_admin nologin nosuperuser nocreaterole nocreatedb noreplication nobypassrls;
alter role trailhound_loopback login nosuperuser nocreaterole nocreatedb noreplication nobypassrls;
comment on role trailhound_loopback is 'As which the engine''s own backends read virtual tables; its password is new at each start';
comment on role trailhound is 'The owner of a Trailhound: makes tables, views, functions and roles of its own';
comment on role trailhound_reader is 'May select from the virtual tables, no more';
comment on role trailhound_admin is 'May declare virtual tables';
grant trailhound_reader, trailhound_admin to trailhound with admin option;

do $$
begin
  -- It may become the roles that it creates, and gets their rights: they are no more than itself.
  execute format('alter role trailhound in database %I set createrole_self_grant = ''set, inherit''', current_database());
  -- "$user" would lead the role trailhound into the schema trailhound, which is the server's and where it may not
  -- create: its own schema is `workspace`, first on its path. So nothing in `public` shadows what it makes, and it
  -- needs no CREATE there, where other roles look names up (setUpSchema grants it where there are no others).
  execute format('alter role trailhound in database %I set search_path = workspace, public, steampipe', current_database());
  execute format('alter database %I set search_path = "$user", public, steampipe', current_database());
end $$;
create schema if not exists workspace authorization trailhound;
comment on schema workspace is 'Tables, views and functions of the role trailhound';
revoke create on schema public from public;
grant usage on schema public to public;

-- Settings: declared here so that they have a value to read; checked by the next statement that names a virtual table.
do $$
declare
  setting text[];
begin
  foreach setting slice 1 in array array[
    ['trailhound.cache', 'on'], ['trailhound.cache_max_age', ''], ['trailhound.sources', 'live'],
    ['trailhound.max_lookups', '250'], ['trailhound.concurrency', '16'], ['trailhound.partial', 'off'],
    ['trailhound.progress', 'off']]
  loop
    -- ALTER ROLE … SET of a setting that PostgreSQL does not know is for superusers and for who has this.
    execute format('grant set on parameter %s to trailhound', setting[1]);
    -- What an administrator chose stays.
    if not exists (
      select from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
      where d.datname = current_database() and s.setrole = 0
        and exists (select from unnest(s.setconfig) c where starts_with(c, setting[1] || '=')))
    then
      execute format('alter database %I set %s = %L', current_database(), setting[1], setting[2]);
    end if;
  end loop;
end $$;
