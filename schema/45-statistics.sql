-- What has been fetched of late. Unlogged: of no use after a crash, and written at each scan.

create unlogged table if not exists trailhound.scan_entry (
  id bigint generated always as identity primary key,
  started_at timestamptz not null,
  duration interval not null,
  role oid not null,
  statement text not null,
  table_name text not null,
  kind text not null,
  pushed text[] not null,
  keys integer,
  calls integer not null,
  pages integer not null,
  rows bigint not null,
  bytes bigint not null,
  cache_hits integer not null,
  waited interval not null,
  sqlstate text,
  error text
);
alter table trailhound.scan_entry
  add column if not exists pid integer,
  add column if not exists searched text[],
  add column if not exists newest timestamptz;
comment on table trailhound.scan_entry is 'Recent scans as trailhound.scan shows them, whoever may see what';

create unlogged table if not exists trailhound.cache_use (
  table_name text primary key,
  hits bigint not null
);
comment on table trailhound.cache_use is 'Keys answered from trailhound.key_cache since the engine''s last crash';
revoke all on trailhound.scan_entry, trailhound.cache_use from public;

create or replace function trailhound.record_scans(entries json, kept integer) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  insert into trailhound.scan_entry (started_at, duration, role, statement, table_name, kind, pushed, keys, calls, pages,
    rows, bytes, cache_hits, waited, sqlstate, error, pid, searched, newest)
  select e.started_at, make_interval(secs => e.duration), coalesce(r.oid, 0), e.statement, e.table_name, e.kind, e.pushed,
    e.keys, e.calls, e.pages, e.rows, e.bytes, e.cache_hits, make_interval(secs => e.waited), e.sqlstate, e.error,
    e.pid, e.searched, e.newest
  from json_to_recordset(entries) as e(started_at timestamptz, duration float8, role text, statement text,
      table_name text, kind text, pushed text[], keys integer, calls integer, pages integer, rows bigint, bytes bigint,
      cache_hits integer, waited float8, sqlstate text, error text, pid integer, searched text[], newest timestamptz)
    left join pg_roles r on r.rolname = e.role;
  delete from trailhound.scan_entry where id <= (select max(id) from trailhound.scan_entry) - kept;
  insert into trailhound.cache_use as known (table_name, hits)
  select e.table_name, sum(e.cache_hits)
  from json_to_recordset(entries) as e(table_name text, cache_hits integer) where e.cache_hits > 0
  group by e.table_name order by e.table_name
  on conflict (table_name) do update set hits = known.hits + excluded.hits;
end $$;
comment on function trailhound.record_scans(json, integer) is 'Keeps the last scans, so many of them';
revoke all on function trailhound.record_scans(json, integer) from public;

-- As pg_stat_activity: what others ran is for members of pg_read_all_stats.
create or replace view trailhound.scan as
select e.started_at, e.duration, pg_get_userbyid(e.role) as role,
  case when v.all then e.statement else '<insufficient privilege>' end as statement,
  e.table_name, e.kind,
  case when v.all then e.pushed end as pushed,
  e.keys, e.calls, e.pages, e.rows, e.bytes, e.cache_hits, e.waited, e.sqlstate,
  case when v.all then e.error end as error,
  e.pid,
  case when v.all then e.searched end as searched,
  case when v.all then e.newest end as newest
from trailhound.scan_entry e
  cross join lateral (select pg_has_role(e.role, 'usage') or pg_has_role('pg_read_all_stats', 'usage') as all) v
order by e.id;
comment on view trailhound.scan is 'The last 1,000 scans and look-ups of virtual tables';
comment on column trailhound.scan.started_at is 'When it began';
comment on column trailhound.scan.duration is 'Until its last row came, or it failed';
comment on column trailhound.scan.role is 'Who ran the statement';
comment on column trailhound.scan.statement is 'The statement; of other roles for members of pg_read_all_stats alone, as are pushed, error, searched and newest';
comment on column trailhound.scan.table_name is 'The virtual table';
comment on column trailhound.scan.kind is 'scan, or lookup by key';
comment on column trailhound.scan.pushed is 'What the service was told of the statement''s conditions';
comment on column trailhound.scan.keys is 'Of a look-up: distinct keys, those in the cache included';
comment on column trailhound.scan.calls is 'Requests to the service, repeated ones included';
comment on column trailhound.scan.pages is 'Pages that came';
comment on column trailhound.scan.rows is 'Rows that came';
comment on column trailhound.scan.bytes is 'Bytes of their records';
comment on column trailhound.scan.cache_hits is 'Keys answered from the cache';
comment on column trailhound.scan.waited is 'Time that calls waited for rate limits and before they were repeated, added up';
comment on column trailhound.scan.sqlstate is 'Of the error that it failed with; 57014 where it was cancelled';
comment on column trailhound.scan.error is 'What it failed with';
comment on column trailhound.scan.pid is 'Of the client''s backend';
comment on column trailhound.scan.searched is 'Where the service was asked to look, as far as the source says it';
comment on column trailhound.scan.newest is 'When the newest event happened that came, as far as the source says it';

create or replace view trailhound.cache as
select c.table_name, count(*) as entries, sum(c.bytes)::bigint as bytes,
  coalesce(min(u.hits), 0) as hits, min(c.fetched_at) as oldest
from (
  select table_name, bytes, fetched_at from trailhound.key_cache
  union all select table_name, bytes, fetched_at from trailhound.kept_scan) c left join trailhound.cache_use u on u.table_name = c.table_name
group by c.table_name;
comment on view trailhound.cache is 'Answers of virtual tables that are kept';
comment on column trailhound.cache.table_name is 'The virtual table';
comment on column trailhound.cache.entries is 'Answers: of look-ups one a key and what else was asked, of scans one a reading';
comment on column trailhound.cache.bytes is 'Of keys and records, uncompressed, and of rows; cache.max_bytes bounds the sum of each';
comment on column trailhound.cache.hits is 'Keys answered from here since the engine''s last crash';
comment on column trailhound.cache.oldest is 'When the oldest of them came';
grant select on trailhound.scan, trailhound.cache to public;
