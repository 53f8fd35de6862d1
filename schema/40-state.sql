-- What several Trailhound processes on one engine share. No role but the server's may read it.

create table if not exists trailhound.installation (
  hash text not null,
  installed_at timestamptz not null default now()
);
comment on table trailhound.installation is 'What this database was last set up from';
comment on column trailhound.installation.hash is 'SHA-256 of the files in schema/';
comment on column trailhound.installation.installed_at is 'When';

-- Answers to look-ups, one row a key. Logged: it saves quota, and so has to survive a restart.
create table if not exists trailhound.key_cache (
  table_name text not null,
  key text not null,
  inputs jsonb not null,
  records jsonb not null,
  fetched_at timestamptz not null,
  primary key (table_name, key, inputs)
);
comment on table trailhound.key_cache is 'Answers by key, and of small scans';
comment on column trailhound.key_cache.table_name is 'The virtual table, without its schema';
comment on column trailhound.key_cache.key is 'As the key column''s type prints it';
comment on column trailhound.key_cache.inputs is 'What else changed the question: input columns by name';
comment on column trailhound.key_cache.records is 'The source''s records for this key, an array; empty where it has none';
comment on column trailhound.key_cache.fetched_at is 'When the answer came';
alter table trailhound.key_cache add column if not exists bytes integer not null default 0;
alter table trailhound.key_cache add column if not exists used_at timestamptz not null default now();
comment on column trailhound.key_cache.bytes is 'Of key, inputs and records, uncompressed';
comment on column trailhound.key_cache.used_at is 'When a statement last used it, to within ten minutes';
create index if not exists key_cache_fetched_at on trailhound.key_cache (fetched_at);

-- Rows of scans that a process keeps: in a relation of its own or in its memory. Unlogged like those relations, so that
-- a crash, which empties them, empties this too.
create unlogged table if not exists trailhound.kept_scan (
  id uuid primary key,
  process integer not null,
  table_name text not null,
  bytes bigint not null,
  fetched_at timestamptz not null
);
comment on table trailhound.kept_scan is 'Rows of scans that are kept; what is deleted here is not used again';
comment on column trailhound.kept_scan.id is 'One reading';
comment on column trailhound.kept_scan.process is 'Whose: the second half of its advisory lock';
comment on column trailhound.kept_scan.table_name is 'The virtual table, without its schema';
comment on column trailhound.kept_scan.bytes is 'Of the relation, or of the values in memory';
comment on column trailhound.kept_scan.fetched_at is 'When the reading was begun';

-- Of an earlier version.
drop table if exists trailhound.relation;
revoke all on trailhound.installation, trailhound.key_cache, trailhound.kept_scan from public;
