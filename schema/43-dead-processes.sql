-- What binds nobody once its process is gone. Relations are dropped one by one, by whoever sweeps.
create or replace function trailhound.forget_dead_processes(lock_class integer) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  -- Looked for before the locks: who has something here has locked before.
  known integer[] := array(
    select process from trailhound.key_claim union select process from trailhound.quota_claim
    union select process from trailhound.kept_scan union select process from trailhound.loopback);
  dead integer[] := array(select unnest(known) except select trailhound.living_processes(lock_class));
begin
  delete from trailhound.key_claim where process = any (dead);
  delete from trailhound.quota_claim where process = any (dead);
  delete from trailhound.kept_scan where process = any (dead);
  if exists (select from trailhound.loopback where process = any (dead)) then
    perform trailhound.point_loopback(lock_class);
  end if;
end $$;
comment on function trailhound.forget_dead_processes(integer) is 'Deletes what processes that live no longer had set aside or kept';
revoke all on function trailhound.forget_dead_processes(integer) from public;
