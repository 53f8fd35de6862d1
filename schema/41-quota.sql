-- What services have said of their quotas. Logged: it has to survive a restart, as the quota itself does.
create table if not exists trailhound.quota_entry (
  source text not null,
  account text not null,
  "limit" bigint not null,
  remaining bigint not null,
  resets_at timestamptz not null,
  told boolean not null,
  seen_at timestamptz not null,
  primary key (source, account)
);
comment on table trailhound.quota_entry is 'Quotas of services, as their last answers said';
comment on column trailhound.quota_entry.account is 'A digest that tells API keys apart';
comment on column trailhound.quota_entry.told is 'Whether the service itself has said when it is renewed; else it is taken for midnight UTC';

-- Calls that running statements still mean to make, by process. Unlogged: of no use after a crash.
create unlogged table if not exists trailhound.quota_claim (
  source text not null,
  account text not null,
  process integer not null,
  calls bigint not null,
  primary key (source, account, process)
);
comment on table trailhound.quota_claim is 'Calls that running statements still mean to make; process is the id of an advisory lock that it holds while it lives';
revoke all on trailhound.quota_entry, trailhound.quota_claim from public;

-- Sets calls aside, where so many remain after what others have set aside; `own` is what this process has already. All
-- NULL but `granted` where nothing is known of the quota: then only the service can say.
create or replace function trailhound.claim_quota(
  of_source text, of_account text, of_process integer, lock_class integer, own bigint, needed bigint, at timestamptz,
  out "limit" bigint, out remaining bigint, out resets_at timestamptz, out granted boolean)
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  others bigint;
  guessed boolean;
begin
  -- One after the other, in all processes.
  select e."limit", e.remaining, e.resets_at, not e.told and e.seen_at < at - interval '1 hour'
    into "limit", remaining, resets_at, guessed
    from trailhound.quota_entry e where e.source = of_source and e.account = of_account and e.resets_at > at
    for update;
  if found then
    select coalesce(sum(c.calls), 0) into others from trailhound.quota_claim c
      where c.source = of_source and c.account = of_account and c.process <> of_process
        and c.process in (select p from trailhound.living_processes(lock_class) p);
    remaining := greatest(0, remaining - others - own);
  end if;
  -- It may have been renewed at another time than is guessed: who asks now and then finds out.
  granted := remaining is null or remaining >= needed or guessed;
  if granted then
    insert into trailhound.quota_claim as c values (of_source, of_account, of_process, own + needed)
      on conflict (source, account, process) do update set calls = excluded.calls;
  end if;
end $$;
comment on function trailhound.claim_quota(text, text, integer, integer, bigint, bigint, timestamptz) is 'Sets calls of a quota aside';

-- Answers arrive in another order than they were given: within a minute, the lowest one is the last one.
create or replace function trailhound.record_quota(
  of_source text, of_account text, of_process integer, own bigint, new_limit bigint, new_remaining bigint,
  new_resets_at timestamptz, at timestamptz) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  overtaken boolean := new_resets_at is null and exists (select from trailhound.quota_entry e
    where e.source = of_source and e.account = of_account and e.resets_at > at and e."limit" = new_limit
      and e.remaining <= new_remaining and e.seen_at > at - interval '1 minute');
begin
  insert into trailhound.quota_claim as c values (of_source, of_account, of_process, own)
    on conflict (source, account, process) do update set calls = excluded.calls;
  if new_limit is null or overtaken then return; end if;
  insert into trailhound.quota_entry as e
    values (of_source, of_account, new_limit, new_remaining,
      coalesce(new_resets_at, (date_trunc('day', at at time zone 'utc') + interval '1 day') at time zone 'utc'),
      new_resets_at is not null, at)
    on conflict (source, account) do update set
      "limit" = excluded."limit",
      remaining = excluded.remaining,
      -- Told once, it is renewed at that time of every day.
      resets_at = case when excluded.told or not e.told then excluded.resets_at
        else e.resets_at + greatest(0, ceil(extract(epoch from at - e.resets_at) / 86400)) * interval '1 day' end,
      told = e.told or excluded.told,
      seen_at = excluded.seen_at;
end $$;
comment on function trailhound.record_quota(text, text, integer, bigint, bigint, bigint, timestamptz, timestamptz) is 'Keeps what an answer said of a quota, and what a process still means to ask';
revoke all on function trailhound.claim_quota(text, text, integer, integer, bigint, bigint, timestamptz) from public;
revoke all on function trailhound.record_quota(text, text, integer, bigint, bigint, bigint, timestamptz, timestamptz) from public;

-- Requests of which the service does not say how many remain: they are counted here, by UTC's days.
create or replace function trailhound.count_quota(
  of_source text, of_account text, per_day bigint, spent bigint, at timestamptz) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  midnight timestamptz := (date_trunc('day', at at time zone 'utc') + interval '1 day') at time zone 'utc';
begin
  insert into trailhound.quota_entry as e
    values (of_source, of_account, per_day, greatest(0, per_day - spent), midnight, true, at)
    on conflict (source, account) do update set
      "limit" = excluded."limit",
      -- The configuration may have changed it.
      remaining = greatest(0, case when e.resets_at <= at then per_day else least(per_day, e.remaining + per_day - e."limit") end - spent),
      resets_at = case when e.resets_at <= at then midnight else e.resets_at end,
      told = true,
      seen_at = at;
end $$;
comment on function trailhound.count_quota(text, text, bigint, bigint, timestamptz) is 'Takes requests from a quota that nobody else counts';
revoke all on function trailhound.count_quota(text, text, bigint, bigint, timestamptz) from public;

create or replace view trailhound.quota as
select e.source, e."limit",
  case when e.resets_at > now() then e.remaining else e."limit" end as remaining,
  case when e.resets_at > now() then e.resets_at end as resets_at
from trailhound.quota_entry e
-- Of an API key that is no longer used nothing is heard.
where e.seen_at > now() - interval '7 days'
order by e.source, e.seen_at desc;
comment on view trailhound.quota is 'Requests that services allow, as their last answers said';
comment on column trailhound.quota.source is 'The service and what is asked of it, each of which has its own quota';
comment on column trailhound.quota."limit" is 'Requests a day';
comment on column trailhound.quota.remaining is 'Requests that remain';
comment on column trailhound.quota.resets_at is 'When the limit is renewed; NULL where it has been since the last answer';
grant select on trailhound.quota to public;
