-- Views show their table's comments: tools read those of views.
create or replace function trailhound.show_table(of_table regclass) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $show$
declare
  item record;
begin
  for item in
    select distinct v.oid::regclass as view
    from pg_depend d
      join pg_rewrite r on r.oid = d.objid
      join pg_class v on v.oid = r.ev_class
      join pg_namespace n on n.oid = v.relnamespace
    where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass
      and d.refobjid = of_table and n.nspname in ('public', 'steampipe')
  loop
    execute format('comment on view %s is %L', item.view, obj_description(of_table, 'pg_class'));
    execute (
      select string_agg(format('comment on column %s.%I is %L', item.view, a.attname,
        coalesce(col_description(of_table, t.attnum), case a.attname
          when 'akas' then 'Other names of the same thing, its ARN among them'
          when 'name' then 'Its title'
          when 'title' then 'Its title'
          when 'sp_connection_name' then 'Connection of the configuration that it came through'
          when 'sp_ctx' then 'Steampipe''s context: connection_name'
          when '_ctx' then 'Steampipe''s context: connection_name' end)), ';')
      from pg_attribute a left join pg_attribute t on t.attrelid = of_table and t.attname = a.attname
      where a.attrelid = item.view and a.attnum > 0 and not a.attisdropped);
    execute format('revoke all on %s from public', item.view);
    execute format('grant select on %s to trailhound with grant option', item.view);
    execute format('grant select on %s to trailhound_reader, trailhound_loopback', item.view);
  end loop;
  -- What a scan of a foreign table asks us for is the view of the same name.
  execute format('alter foreign table %s options (add schema_name %L)', of_table, 'public');
end $show$;
comment on function trailhound.show_table(regclass) is 'Gives the views of a virtual table its comments, and to who may read them';
revoke all on function trailhound.show_table(regclass) from public;

do $$
declare
  item record;
begin
  for item in select oid::regclass as name from pg_class where relnamespace = 'source'::regnamespace and relkind = 'f' loop
    perform trailhound.show_table(item.name);
  end loop;
end $$;

do $$
begin
  if exists (select from pg_namespace where nspname = 'source_before') then
    drop schema source_before cascade;
  end if;
end $$;
revoke all on schema source from public;
