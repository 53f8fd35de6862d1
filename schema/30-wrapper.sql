-- Virtual tables are foreign tables of postgres_fdw's handler. Its own validator would let a role with USAGE on the
-- wrapper connect, as the engine's superuser, to the engine's own socket; ours lets nobody but a superuser connect.

do $$
begin
  if not exists (select from pg_extension where extname = 'postgres_fdw') then
    create extension postgres_fdw schema trailhound;
  end if;
end $$;

create or replace function trailhound.valid_options(options text[], catalog oid) returns void
language plpgsql as $$
declare
  option text;
  name text;
  value text;
  is_super boolean := (select rolsuper from pg_catalog.pg_roles where rolname operator(pg_catalog.=) current_user);
  -- What schema/*.sql declares a table with: src/catalog/table.ts says what each means.
  declared text[] := case catalog
    when 'pg_catalog.pg_foreign_table'::pg_catalog.regclass then array['source', 'kind', 'ttl', 'size']
    when 'pg_catalog.pg_attribute'::pg_catalog.regclass then array['key', 'operators', 'path', 'expression', 'default']
    else array[]::text[] end;
  -- What leads to another server, or says how; "Connection Options" and the sections after it of postgres_fdw's manual
  -- page, and libpq's connection parameters.
  connecting text[] := case catalog
    when 'pg_catalog.pg_foreign_table'::pg_catalog.regclass then
      array['schema_name', 'table_name', 'updatable', 'truncatable', 'fetch_size', 'batch_size', 'async_capable',
        'use_remote_estimate', 'analyze_sampling']
    when 'pg_catalog.pg_attribute'::pg_catalog.regclass then array['column_name']
    when 'pg_catalog.pg_foreign_server'::pg_catalog.regclass then
      array['host', 'hostaddr', 'port', 'dbname', 'application_name', 'connect_timeout', 'options', 'passfile',
        'keepalives', 'keepalives_idle', 'keepalives_interval', 'keepalives_count', 'tcp_user_timeout',
        'sslmode', 'sslrootcert', 'sslcrl', 'sslcrldir', 'sslsni', 'sslnegotiation', 'ssl_min_protocol_version',
        'ssl_max_protocol_version', 'channel_binding', 'require_auth', 'target_session_attrs', 'load_balance_hosts',
        'use_scram_passthrough', 'keep_connections', 'updatable', 'truncatable', 'fetch_size', 'batch_size',
        'async_capable', 'parallel_commit', 'parallel_abort', 'use_remote_estimate', 'fdw_startup_cost',
        'fdw_tuple_cost', 'extensions', 'analyze_sampling']
    when 'pg_catalog.pg_user_mapping'::pg_catalog.regclass then
      array['user', 'password', 'password_required', 'sslcert', 'sslkey', 'sslpassword', 'use_scram_passthrough']
    else array[]::text[] end;
begin
  foreach option in array options loop
    name := pg_catalog.split_part(option, '=', 1);
    value := pg_catalog.substr(option, pg_catalog.length(name) operator(pg_catalog.+) 2);
    if name operator(pg_catalog.=) any (connecting) then
      if is_super is not true then
        raise exception using errcode = '42501', message = pg_catalog.format('permission denied to set option "%s"', name),
          hint = 'Only superusers may say where a foreign server is and how to connect to it.';
      end if;
    elsif not name operator(pg_catalog.=) any (declared) then
      raise exception using errcode = 'HV00D', message = pg_catalog.format('invalid option "%s"', name),
        hint = 'Valid options in this context are: '
          operator(pg_catalog.||) coalesce(nullif(pg_catalog.array_to_string(declared, ', '), ''), '<none>');
    elsif (name operator(pg_catalog.=) 'kind' and not value operator(pg_catalog.=) any (array['scan', 'lookup']))
      or (name operator(pg_catalog.=) 'key' and not value operator(pg_catalog.=) any (array['required', 'optional', 'input']))
      or (name operator(pg_catalog.=) 'ttl' and not pg_catalog.pg_input_is_valid(value, 'pg_catalog.interval'))
      or (name operator(pg_catalog.=) 'operators' and not pg_catalog.string_to_array(value, ',') operator(pg_catalog.<@)
        array['=', '<>', '<', '<=', '>', '>=', 'like', 'not like', 'ilike', 'is null', 'is not null', 'is true', 'is false'])
    then
      raise exception using errcode = 'HV024', message = pg_catalog.format('invalid value for option "%s": "%s"', name, value);
    end if;
  end loop;
end $$;
comment on function trailhound.valid_options(text[], oid) is 'Validates the options of what belongs to the wrapper trailhound';

do $$
declare
  handler text := (
    select format('%I.postgres_fdw_handler', n.nspname)
    from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'postgres_fdw');
begin
  if not exists (select from pg_foreign_data_wrapper where fdwname = 'trailhound') then
    execute 'create foreign data wrapper trailhound handler ' || handler || ' validator trailhound.valid_options';
  end if;
  if not exists (select from pg_foreign_server where srvname = 'trailhound') then
    create server trailhound foreign data wrapper trailhound options (keep_connections 'off', updatable 'false');
  end if;
end $$;
comment on foreign data wrapper trailhound is 'Virtual tables; nobody has USAGE, see trailhound.valid_options';
comment on server trailhound is 'Trailhound itself';
revoke all on foreign data wrapper trailhound from public;
revoke all on foreign server trailhound from public;

-- Tables of the same records have most columns in common: a declaration says of its columns what is its own.
create or replace function trailhound.comment_as(of_table regclass, other regclass) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  item record;
begin
  for item in
    select a.attname as name, col_description(other, o.attnum) as comment
    from pg_attribute a join pg_attribute o on o.attrelid = other and o.attname = a.attname and not o.attisdropped
    where a.attrelid = of_table and a.attnum > 0 and not a.attisdropped and col_description(of_table, a.attnum) is null
  loop
    execute format('comment on column %s.%I is %L', of_table, item.name, item.comment);
  end loop;
end $$;
comment on function trailhound.comment_as(regclass, regclass) is 'Gives columns without a comment the one that another table''s of the same name have';
revoke all on function trailhound.comment_as(regclass, regclass) from public;
