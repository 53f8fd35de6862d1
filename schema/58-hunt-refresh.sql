-- Results of hunts that are kept as tables. Written by whoever refreshes them: the role trailhound.

create schema if not exists hunt authorization trailhound;
comment on schema hunt is 'Results of hunts, as trailhound refresh keeps them';
grant usage on schema hunt to public;

create table if not exists trailhound.hunt_refresh (
  name text primary key,
  hunt text not null,
  parameters jsonb not null,
  readers text[] not null default '{}',
  refreshed_at timestamptz,
  rows bigint,
  run_at timestamptz not null default now(),
  failure text,
  failing_since timestamptz
);
comment on table trailhound.hunt_refresh is 'Hunts whose result is kept as a table in schema hunt';
comment on column trailhound.hunt_refresh.name is 'The table''s name';
comment on column trailhound.hunt_refresh.hunt is 'The hunt''s name';
comment on column trailhound.hunt_refresh.parameters is 'Its parameters as they were given';
comment on column trailhound.hunt_refresh.readers is 'Roles that were granted SELECT because they may read all that the hunt reads';
comment on column trailhound.hunt_refresh.refreshed_at is 'When the run began whose rows the table holds';
comment on column trailhound.hunt_refresh.rows is 'How many those are';
comment on column trailhound.hunt_refresh.run_at is 'When it last ran, however that ended';
comment on column trailhound.hunt_refresh.failure is 'SQLSTATE and message of its last run; NULL: it did not fail';
comment on column trailhound.hunt_refresh.failing_since is 'Since when it fails';
revoke all on trailhound.hunt_refresh from public;
grant select, insert, update, delete on trailhound.hunt_refresh to trailhound;

create or replace view trailhound.refresh as
select r.name, r.hunt, r.refreshed_at, r.rows, r.run_at, r.failing_since,
  -- A message may hold what its statement read.
  case when pg_has_role('trailhound', 'usage')
    or coalesce(has_table_privilege(to_regclass(format('hunt.%I', r.name)), 'select'), false) then r.failure end as failure
from trailhound.hunt_refresh r
order by r.name;
comment on view trailhound.refresh is 'Tables in schema hunt, and how old they are';
comment on column trailhound.refresh.name is 'The table''s name';
comment on column trailhound.refresh.hunt is 'The hunt whose rows it holds';
comment on column trailhound.refresh.refreshed_at is 'When the run began whose rows it holds; NULL: none has ended well yet';
comment on column trailhound.refresh.rows is 'How many those are';
comment on column trailhound.refresh.run_at is 'When it last ran, however that ended';
comment on column trailhound.refresh.failing_since is 'Since when its runs fail; NULL: the last one did not';
comment on column trailhound.refresh.failure is 'SQLSTATE and message of the last run, for those who may read the table';
grant select on trailhound.refresh to public;
