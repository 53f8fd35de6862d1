-- Everything in this folder runs in one transaction, as superuser, with search_path pg_catalog, in the order of the
-- file names, when its content has changed. It may run over what an earlier version of it made.
--
-- Functions say `set search_path = pg_catalog, pg_temp`: where a path does not name pg_temp, PostgreSQL looks relations and
-- types up there first of all, and a caller's temporary view called pg_class would run its functions with our rights.

create schema if not exists trailhound;
comment on schema trailhound is 'What Trailhound knows of itself, and the functions that it calls';
-- Its functions are called by every role's statements; its tables are granted one by one.
grant usage on schema trailhound to public;

create schema if not exists trailhound_rows;
comment on schema trailhound_rows is 'Rows that Trailhound fetched for running statements; each relation is granted to those who may read it';
grant usage on schema trailhound_rows to public;

-- Dropped at the end: then all views stand on the new tables. Views that users made on ours survive in this way.
do $$
begin
  if exists (select from pg_namespace where nspname = 'source') then
    alter schema source rename to source_before;
  end if;
end $$;
create schema source;
comment on schema source is 'Virtual tables as Trailhound''s planner sees them; use the views in public';

create schema if not exists steampipe;
comment on schema steampipe is 'Views with the names and columns of Steampipe''s plugins';
grant usage on schema steampipe to public;

-- Errors of ours are raised by the client's own backend, so that the transaction fails as PostgreSQL's own do.
create or replace function trailhound.raise(sqlstate text, message text, detail text, hint text) returns void
language plpgsql as $$
begin
  -- An option of RAISE may not be NULL, and an empty detail would be shown.
  if detail is null and hint is null then
    raise exception using errcode = sqlstate, message = message;
  elsif detail is null then
    raise exception using errcode = sqlstate, message = message, hint = hint;
  elsif hint is null then
    raise exception using errcode = sqlstate, message = message, detail = detail;
  else
    raise exception using errcode = sqlstate, message = message, detail = detail, hint = hint;
  end if;
end $$;
comment on function trailhound.raise(text, text, text, text) is 'Fails with just this error; detail and hint may be NULL';
grant execute on function trailhound.raise(text, text, text, text) to public;

-- The guard of a statement in a READ COMMITTED block: its keys were looked up in an earlier snapshot than its own.
create or replace function trailhound.keys_missing(missing bigint) returns boolean
language plpgsql as $$
begin
  if missing > 0 then
    raise exception using errcode = '40001', message = 'rows changed while keys were looked up',
      detail = missing || ' keys are new.', hint = 'Run the statement again.';
  end if;
  return true;
end $$;
comment on function trailhound.keys_missing(bigint) is 'True for 0, else a serialization failure';
grant execute on function trailhound.keys_missing(bigint) to public;

-- What a statement locks it may come to in a version that another transaction has made since: PostgreSQL computes the
-- statement's expressions for that anew, whose keys nobody asked for.
create or replace function trailhound.same_version(same boolean) returns boolean
language plpgsql as $$
begin
  if same is not true then
    raise exception using errcode = '40001', message = 'a row changed while its keys were looked up',
      detail = 'Another transaction changed it after this statement had begun.', hint = 'Run the statement again.';
  end if;
  return true;
end $$;
comment on function trailhound.same_version(boolean) is 'True for true, else a serialization failure';
grant execute on function trailhound.same_version(boolean) to public;
