-- Keys that a process asks a service for just now, so that no other does. Unlogged: of no use after a crash.
create unlogged table if not exists trailhound.key_claim (
  key text primary key,
  process integer not null
);
alter table trailhound.key_claim add column if not exists renewed_at timestamptz not null default clock_timestamp();
comment on table trailhound.key_claim is 'Keys that are being asked for';
comment on column trailhound.key_claim.key is 'A digest of table, key and inputs';
comment on column trailhound.key_claim.process is 'Who asks: the second half of its advisory lock, which it holds while it lives';
comment on column trailhound.key_claim.renewed_at is 'When its process was last seen to work';
revoke all on trailhound.key_claim from public;

-- Whether a process that lives does nothing: stopped, cut off, busy with something else. It renews its claims every few seconds.
create or replace function trailhound.is_idle_claim(renewed_at timestamptz) returns boolean
language sql volatile set search_path = pg_catalog, pg_temp
return renewed_at < clock_timestamp() - interval '10 seconds';
comment on function trailhound.is_idle_claim(timestamptz) is 'Whether the process of a claim that was last renewed then is taken to be stopped';
revoke all on function trailhound.is_idle_claim(timestamptz) from public;

-- Returns those of `keys` that nobody asks for just now.
create or replace function trailhound.claim_keys(of_process integer, lock_class integer, keys text[]) returns setof text
language sql volatile set search_path = pg_catalog, pg_temp as $$
  with living as materialized (select p from trailhound.living_processes(lock_class) p),
  free as (
    select k from unnest(keys) k left join trailhound.key_claim c on c.key = k
    where c.process is null or c.process not in (select p from living) or trailhound.is_idle_claim(c.renewed_at))
  -- In one order, so that two processes that claim the same wait for each other in one direction.
  insert into trailhound.key_claim as known (key, process) select k, of_process from free order by k
  on conflict (key) do update set process = excluded.process, renewed_at = excluded.renewed_at
    where known.process not in (select p from trailhound.living_processes(lock_class) p) or trailhound.is_idle_claim(known.renewed_at)
  returning known.key
$$;
comment on function trailhound.claim_keys(integer, integer, text[]) is 'Takes keys that nobody asks for';
revoke all on function trailhound.claim_keys(integer, integer, text[]) from public;
