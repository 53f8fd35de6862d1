-- Requests a second that processes share. Unlogged: after a crash each begins full.
create unlogged table if not exists trailhound.rate (
  key text primary key,
  tokens double precision not null,
  at timestamptz not null
);
comment on table trailhound.rate is 'Requests that may be sent now, by what limits them';
comment on column trailhound.rate.key is 'As the source declares it: service, operation, account, region';
comment on column trailhound.rate.tokens is 'Requests, as of `at`; a second''s worth at most';
revoke all on trailhound.rate from public;

-- As many of the requests wanted as may start now; where none may, after how many seconds one may.
create or replace function trailhound.take_requests(
  of_key text, per_second double precision, wanted integer, out granted integer, out wait double precision)
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  most double precision := greatest(1, per_second);
  known trailhound.rate;
  moment timestamptz;
begin
  insert into trailhound.rate values (of_key, most, clock_timestamp()) on conflict (key) do nothing;
  -- One after the other, in all processes.
  select * into known from trailhound.rate r where r.key = of_key for update;
  moment := greatest(clock_timestamp(), known.at);
  known.tokens := least(most, known.tokens + extract(epoch from moment - known.at) * per_second);
  -- A request is whole within a rounding error.
  granted := least(wanted, floor(known.tokens + 1e-9));
  wait := case when granted = 0 then (1 - known.tokens) / per_second else 0 end;
  update trailhound.rate r set tokens = known.tokens - granted, at = moment where r.key = of_key;
end $$;
comment on function trailhound.take_requests(text, double precision, integer) is 'Takes requests of a rate that all processes share';
revoke all on function trailhound.take_requests(text, double precision, integer) from public;
