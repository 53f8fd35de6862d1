create or replace function trailhound.cache_clear(of_table text default null) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  cleared bigint;
  scans bigint;
begin
  if of_table is not null and not exists (
    select from pg_class c where c.relnamespace = 'source'::regnamespace and c.relkind = 'f' and c.relname = of_table)
  then
    raise exception using errcode = '42P01', message = format('there is no virtual table "%s"', of_table),
      hint = 'Name one of trailhound.cache without its schema, or none to clear them all.';
  end if;
  delete from trailhound.key_cache c where of_table is null or c.table_name = of_table;
  get diagnostics cleared = row_count;
  delete from trailhound.kept_scan k where of_table is null or k.table_name = of_table;
  get diagnostics scans = row_count;
  return cleared + scans;
end $$;
comment on function trailhound.cache_clear(text) is 'Forgets the answers that are kept of a table, or of all; says how many';
revoke all on function trailhound.cache_clear(text) from public;
-- What is asked anew costs quota: not for everybody.
grant execute on function trailhound.cache_clear(text) to trailhound with grant option;
