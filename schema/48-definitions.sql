-- What users make may lead to virtual tables: each process has to know of it before the next statement names it, and one
-- that did not make it itself would have to ask each time.
create or replace function trailhound.tell_definition() returns event_trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  -- At commit, and once however much a transaction makes.
  perform pg_notify('trailhound_definition', 'definition');
end $$;
comment on function trailhound.tell_definition() is 'Tells all processes that something was made that may lead to virtual tables';
revoke all on function trailhound.tell_definition() from public;

drop event trigger if exists trailhound_definition;
create event trigger trailhound_definition on ddl_command_end
  when tag in ('CREATE VIEW', 'ALTER VIEW', 'CREATE MATERIALIZED VIEW', 'ALTER MATERIALIZED VIEW', 'ALTER TABLE',
    'CREATE FUNCTION', 'ALTER FUNCTION', 'CREATE PROCEDURE', 'ALTER PROCEDURE', 'ALTER ROUTINE', 'CREATE AGGREGATE', 'ALTER AGGREGATE',
    'CREATE RULE', 'ALTER RULE', 'CREATE TRIGGER', 'ALTER TRIGGER', 'CREATE POLICY', 'ALTER POLICY',
    'CREATE OPERATOR', 'CREATE CAST', 'CREATE SCHEMA', 'CREATE EXTENSION')
  execute function trailhound.tell_definition();
comment on event trigger trailhound_definition is 'Tells all processes what leads to virtual tables';
