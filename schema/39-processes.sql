-- What tells the processes on one engine apart, and the living from the dead.

create or replace function trailhound.living_processes(lock_class integer) returns setof integer
language sql stable set search_path = pg_catalog, pg_temp as $$
  select l.objid::bigint::integer from pg_locks l
  where l.locktype = 'advisory' and l.granted and l.objsubid = 2 and l.classid = lock_class::oid
    and l.database = (select d.oid from pg_database d where d.datname = current_database())
    -- Any role may take such a lock, and must not pass for a process.
    and exists (select from pg_stat_get_activity(l.pid) a join pg_roles r on r.oid = a.usesysid where r.rolsuper)
$$;
comment on function trailhound.living_processes(integer) is 'The second halves of the advisory locks of this class: each process holds one while it lives';
revoke all on function trailhound.living_processes(integer) from public;
