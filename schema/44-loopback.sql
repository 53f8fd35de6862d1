-- Where the processes on this engine listen for its own backends. Logged: a crash of the engine ends none of them.
create table if not exists trailhound.loopback (
  process integer primary key,
  host text not null,
  port integer not null,
  since timestamptz not null default clock_timestamp()
);
comment on table trailhound.loopback is 'Where processes listen for what postgres_fdw scans';
comment on column trailhound.loopback.process is 'Whose: the second half of its advisory lock, which it holds while it lives';
comment on column trailhound.loopback.host is 'As the engine''s backends reach it: an address, or a directory for a socket';
revoke all on trailhound.loopback from public;

-- libpq tries one host after the other until one takes it (57P03 makes it go on).
create or replace function trailhound.point_loopback(lock_class integer) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  hosts text;
  ports text;
  option text;
  value text;
begin
  -- One after the other, and before the living are counted.
  lock table trailhound.loopback in share row exclusive mode;
  delete from trailhound.loopback where process not in (select p from trailhound.living_processes(lock_class) p);
  select string_agg(l.host, ',' order by since, process), string_agg(l.port::text, ',' order by since, process)
    into hosts, ports from trailhound.loopback l;
  if hosts is null then return; end if;
  for option, value in values ('host', hosts), ('port', ports) loop
    if exists (select from pg_foreign_server s, pg_options_to_table(s.srvoptions) o
      where s.srvname = 'trailhound' and o.option_name = option and o.option_value = value) then continue; end if;
    execute format('alter server trailhound options (%s %s %L)',
      case when exists (select from pg_foreign_server s, pg_options_to_table(s.srvoptions) o
        where s.srvname = 'trailhound' and o.option_name = option) then 'set' else 'add' end, option, value);
  end loop;
end $$;
comment on function trailhound.point_loopback(integer) is 'Leads the foreign server to the processes that live';
revoke all on function trailhound.point_loopback(integer) from public;
