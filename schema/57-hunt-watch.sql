-- What watched hunts have told already, so that a new start tells it not again. Written by whoever watches: the role trailhound.

create table if not exists trailhound.hunt_watch (
  watch text primary key,
  hunt text not null,
  searched_at timestamptz,
  run_at timestamptz not null default now(),
  failure text,
  failing_since timestamptz
);
alter table trailhound.hunt_watch add column if not exists begun_at timestamptz not null default now();
comment on table trailhound.hunt_watch is 'Hunts that are watched, by trailhound hunt run --every or --notify';
comment on column trailhound.hunt_watch.watch is 'SHA-256 of the hunt, its parameters and the one destination of its rows';
comment on column trailhound.hunt_watch.hunt is 'The hunt''s name';
comment on column trailhound.hunt_watch.searched_at is 'When the last run began whose rows have all been told';
comment on column trailhound.hunt_watch.begun_at is 'When it first ran';
comment on column trailhound.hunt_watch.run_at is 'When it last ran, however that ended';
comment on column trailhound.hunt_watch.failure is 'The SQLSTATE with which its last run failed; NULL: it did not';
comment on column trailhound.hunt_watch.failing_since is 'Since when it fails';

create table if not exists trailhound.hunt_row (
  watch text not null references trailhound.hunt_watch on delete cascade,
  key text not null,
  found_at timestamptz not null,
  primary key (watch, key)
);
comment on table trailhound.hunt_row is 'Rows of watched hunts that have been told';
comment on column trailhound.hunt_row.watch is 'The watch';
comment on column trailhound.hunt_row.key is 'A digest of what tells the row from others: its event_id, action, resource, count';
comment on column trailhound.hunt_row.found_at is 'When a run last found it, to within an hour';
revoke all on trailhound.hunt_watch, trailhound.hunt_row from public;
grant select, insert, update, delete on trailhound.hunt_watch, trailhound.hunt_row to trailhound;
