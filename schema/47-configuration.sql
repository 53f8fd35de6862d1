-- What the configuration of the last server that started names, and how its connections fare. Unlogged: a server writes it as it starts.
create unlogged table if not exists trailhound.connection_entry (
  name text primary key,
  kind text not null,
  state text not null check (state in ('unused', 'ready', 'failed')),
  error text,
  since timestamptz not null
);
comment on table trailhound.connection_entry is 'Connections as trailhound.connection shows them';

create unlogged table if not exists trailhound.hunt_entry (
  name text primary key,
  title text not null,
  severity text not null,
  mitre text[] not null,
  tables text[] not null,
  parameters jsonb not null,
  false_positives text[] not null,
  next_steps text[] not null,
  reference_urls text[] not null,
  file text not null,
  sql text not null
);
comment on table trailhound.hunt_entry is 'Saved hunts as trailhound.hunt shows them';
revoke all on trailhound.connection_entry, trailhound.hunt_entry from public;

create or replace view trailhound.connection as
select name, kind, state, error, since from trailhound.connection_entry order by name;
comment on view trailhound.connection is 'Connections of the configuration';
comment on column trailhound.connection.name is 'As the configuration names it';
comment on column trailhound.connection.kind is 'aws, abuseipdb, files or http';
comment on column trailhound.connection.state is 'unused: nothing was asked yet; ready: its last request was answered; failed: it was not';
comment on column trailhound.connection.error is 'What it failed with';
comment on column trailhound.connection.since is 'Since when it is so';

create or replace view trailhound.hunt as
select name, title, severity, mitre, tables, parameters, false_positives, next_steps, reference_urls, file, sql
from trailhound.hunt_entry order by name;
comment on view trailhound.hunt is 'Saved hunts; trailhound hunt run NAME runs one';
comment on column trailhound.hunt.name is 'Its file below queries/ or hunts.paths, without .sql';
comment on column trailhound.hunt.title is 'What it finds';
comment on column trailhound.hunt.severity is 'info, low, medium, high or critical, as the configuration has it';
comment on column trailhound.hunt.mitre is 'Techniques of MITRE ATT&CK';
comment on column trailhound.hunt.tables is 'The virtual tables that it reads';
comment on column trailhound.hunt.parameters is 'An array of name, type, default (none where the hunt cannot do without a value), required and description; set as hunt.<name>';
comment on column trailhound.hunt.false_positives is 'What it may find that is harmless';
comment on column trailhound.hunt.next_steps is 'What to do with what it finds';
comment on column trailhound.hunt.reference_urls is 'Where to read more';
comment on column trailhound.hunt.file is 'The file';
comment on column trailhound.hunt.sql is 'The file''s text: a statement that runs as it stands';
grant select on trailhound.connection, trailhound.hunt to public;
