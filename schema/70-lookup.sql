-- Tables made by SQL alone: trailhound.create_lookup(). Their definitions stand here, so that they survive a restart and a
-- new version of these files, and are seen by every process on the engine.

-- Logged: it is what somebody has written.
create table if not exists trailhound.lookup_entry (
  id bigint generated always as identity unique,
  name text primary key,
  url_template text not null,
  columns jsonb not null,
  connection text not null,
  rows_at text,
  format text not null,
  ttl interval,
  created_by text not null,
  created_at timestamptz not null default now()
);
alter table trailhound.lookup_entry add column if not exists more_at text;
comment on table trailhound.lookup_entry is 'Tables that trailhound.create_lookup() made, as trailhound.lookup shows them';
comment on column trailhound.lookup_entry.id is 'Tells answers to one definition from those to a later one of the same name';

-- What the configuration of the last server that started allows, which writes it.
create table if not exists trailhound.http_host (
  connection text not null,
  host text not null,
  private boolean not null,
  primary key (connection, host)
);
comment on table trailhound.http_host is 'Hosts that tables made by SQL may call, by connection';
revoke all on trailhound.lookup_entry, trailhound.http_host from public;

create or replace view trailhound.lookup as
select name, url_template, columns, connection, rows_at, format, ttl, created_by, created_at, more_at
from trailhound.lookup_entry order by name;
comment on view trailhound.lookup is 'Tables that trailhound.create_lookup() made';
comment on column trailhound.lookup.name is 'The table, in public';
comment on column trailhound.lookup.url_template is 'What is asked; {column} stands for the value of a column';
comment on column trailhound.lookup.columns is 'As they were declared';
comment on column trailhound.lookup.connection is 'The connection of the configuration that asks';
comment on column trailhound.lookup.rows_at is 'Where in an answer its rows are; NULL: the answer is one';
comment on column trailhound.lookup.format is 'json, or lines of text';
comment on column trailhound.lookup.ttl is 'How long answers are kept; NULL: as the connection says';
comment on column trailhound.lookup.created_by is 'The role that made it';
comment on column trailhound.lookup.created_at is 'When';
comment on column trailhound.lookup.more_at is 'Where an answer says that it is not all, and is refused; NULL: none says so';
grant select on trailhound.lookup to public;

-- Refuses a definition that cannot be used, before anything is made of it. src/sources/http reads it again.
create or replace function trailhound.check_lookup(definition trailhound.lookup_entry) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  -- What JSON allows in the quotation marks, so that no path is taken that cannot be read.
  path_pattern constant text := '^\$(\.[A-Za-z_][A-Za-z0-9_-]*|\[[0-9]{1,6}\]|\["([^"\\[:cntrl:]]|\\(["\\/bfnrt]|u[0-9A-Fa-f]{4}))+"\])*$';
  members constant text[] := array['name', 'type', 'path', 'key', 'default', 'public_only', 'not_null', 'comment'];
  types constant text[] := array['text', 'bigint', 'integer', 'double precision', 'boolean', 'timestamptz', 'inet', 'jsonb', 'text[]'];
  reserved constant text[] := array(select word from pg_get_keywords() where catcode = 'R');
  asked text[];
  named text[] := '{}';
  declared text[] := '{}';
  item jsonb;
  of_column text;
  unknown text;
  keys integer := 0;
  filled text;
  origin text[];
  allowed text;
begin
  if definition.name is null or definition.name !~ '^[a-z_][a-z0-9_]{0,62}$' or definition.name ~ '^(pg|trailhound)_'
    or exists (select from pg_get_keywords() where word = definition.name and catcode in ('R', 'T'))
  then
    perform trailhound.refuse_lookup(format('"%s" cannot be the name of a look-up', definition.name),
      'Use up to 63 lower-case letters, digits and underscores; words that SQL reserves, and pg_ and trailhound_ at the start, are taken.');
  end if;

  -- The host is no part of what a key can change: it ends before the first placeholder may stand.
  origin := regexp_match(definition.url_template, '^(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?/');
  if origin is null then
    perform trailhound.refuse_lookup('url_template must begin with https://, a host in lower case, and a slash',
      'Write it as https://api.example.com/v1/{ip}; it holds no user, password or other credential. Names in other letters are written as xn--….');
  end if;
  if length(definition.url_template) > 2000
    or regexp_replace(definition.url_template, '\{[a-z_][a-z0-9_]{0,62}\}', 'x', 'g')
      !~ '^https?://[^/]+/([A-Za-z0-9._~!$&''()*+,;=:@/-]|%[0-9A-Fa-f]{2})*(\?([A-Za-z0-9._~!$&()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?$'
    or split_part(definition.url_template, '?', 1) ~* '/(\.|%2e){1,2}(/|$)'
  then
    perform trailhound.refuse_lookup('url_template is no plain URL of a path and a query',
      'Percent-encode other characters, leave out fragments and dot segments, and write placeholders as {column}.');
  end if;
  if definition.url_template ~* '[?&](api[_-]?key|key|token|access[_-]?token|auth|authorization|passw(or)?d|secret|client[_-]?secret|sig|signature)=[^&{]' then
    perform trailhound.refuse_lookup('url_template holds a credential',
      'Give it to the connection in the configuration, as headers or query: it is sent along, and shown nowhere.');
  end if;
  asked := array(select distinct m[1] from regexp_matches(definition.url_template, '\{([a-z0-9_]+)\}', 'g') as m);

  if definition.format is null or definition.format <> all (array['json', 'lines']) then
    perform trailhound.refuse_lookup('format is json or lines', null);
  end if;
  if definition.rows_at is not null and (definition.format = 'lines' or definition.rows_at !~ path_pattern) then
    perform trailhound.refuse_lookup('rows_at is no JSON path', 'Write it as $.data.items; lines are rows as they stand.');
  end if;
  if definition.more_at is not null and (definition.format = 'lines' or definition.more_at !~ path_pattern) then
    perform trailhound.refuse_lookup('more_at is no JSON path', 'Write it as $.has_more, from the whole answer; lines say no such thing.');
  end if;
  if definition.ttl < interval '0' then
    perform trailhound.refuse_lookup('ttl is negative', null);
  end if;

  if definition.columns is null or jsonb_typeof(definition.columns) <> 'array' or jsonb_array_length(definition.columns) not between 1 and 200 then
    perform trailhound.refuse_lookup('columns must be an array of 1 to 200 columns',
      'Write them as [{"name": "ip", "type": "inet", "key": true}, {"name": "score", "type": "integer", "path": "$.score"}].');
  end if;
  for item in select jsonb_array_elements(definition.columns) loop
    of_column := item ->> 'name';
    if jsonb_typeof(item) <> 'object' or jsonb_typeof(item -> 'name') is distinct from 'string' or of_column !~ '^[a-z_][a-z0-9_]{0,62}$' then
      perform trailhound.refuse_lookup('each of columns must be an object with a name of lower-case letters, digits and underscores', null);
    end if;
    if of_column = any (reserved) then
      perform trailhound.refuse_lookup(format('"%s" cannot be the name of a column', of_column),
        'SQL reserves it: without quotation marks it would mean something else. Choose another name; the path says where its value is.');
    end if;
    if of_column = any (named) then
      perform trailhound.refuse_lookup(format('column %s is declared twice', of_column), null);
    end if;
    named := named || of_column;
    unknown := (select min(k) from jsonb_object_keys(item) k where k <> all (members));
    if unknown is not null then
      perform trailhound.refuse_lookup(format('column %s has the unknown member "%s"', of_column, unknown),
        format('It may have %s.', array_to_string(members, ', ')));
    end if;
    if exists (select from jsonb_each(item) e where jsonb_typeof(e.value) <>
        case when e.key = any (array['key', 'public_only', 'not_null']) then 'boolean' else 'string' end) then
      perform trailhound.refuse_lookup(format('column %s has a member of another type', of_column),
        'key, public_only and not_null are true or false, the others texts.');
    end if;
    if coalesce(item ->> 'type', '') <> all (types) then
      perform trailhound.refuse_lookup(format('column %s must have a type', of_column), format('One of %s.', array_to_string(types, ', ')));
    end if;
    if (item ->> 'key')::boolean or item ? 'default' then
      declared := declared || of_column;
      -- In a path of columns it is the whole of a record.
      if of_column = 'record' then
        perform trailhound.refuse_lookup('what is asked for cannot be called record', 'Choose another name.');
      end if;
      if item ? 'path' then
        perform trailhound.refuse_lookup(format('column %s is asked for, and so has no path', of_column), 'Its value is the one that was asked for.');
      end if;
      if of_column <> all (asked) then
        perform trailhound.refuse_lookup(format('column %s is asked for, and url_template does not name it', of_column),
          format('Put {%s} into url_template.', of_column));
      end if;
    end if;
    if (item ->> 'key')::boolean then
      keys := keys + 1;
      if item ? 'default' or item ->> 'type' <> all (array['text', 'inet', 'bigint']) then
        perform trailhound.refuse_lookup(format('column %s cannot be a key', of_column), 'A key is a text, an inet or a bigint, and has no default.');
      end if;
    elsif item ? 'default' then
      -- Nothing is asked for with an empty text: the table would be empty.
      -- A number is asked for as it is printed where a statement names it: 030 would be another URL.
      if item ->> 'type' <> all (array['text', 'integer', 'bigint']) or item ->> 'default' = '' or not pg_input_is_valid(item ->> 'default', item ->> 'type')
        or (item ->> 'type' <> 'text' and item ->> 'default' !~ '^(0|-?[1-9][0-9]*)$')
      then
        perform trailhound.refuse_lookup(format('column %s cannot have this default', of_column),
          'An input is a text that is not empty, an integer or a bigint, and its default one of its values: a number without leading zeros, signs of plus or spaces.');
      end if;
    elsif item ->> 'path' is null or item ->> 'path' !~ path_pattern or length(item ->> 'path') > 500 then
      perform trailhound.refuse_lookup(format('column %s has no JSON path', of_column),
        'Write it as $.a.b[0] or $["a b"]; $ is the whole. A backslash within quotation marks is one of JSON''s escapes: \\ is a backslash, \" a quotation mark.');
    elsif definition.format = 'lines' and item ->> 'path' <> '$' then
      perform trailhound.refuse_lookup(format('column %s looks into a line', of_column), 'The path of a line is $.');
    end if;
    if item ? 'not_null' and not item ? 'path' then
      perform trailhound.refuse_lookup(format('column %s cannot be not_null', of_column), 'One with a path can; what is asked for has a value always.');
    end if;
    if (item ->> 'public_only')::boolean and not ((item ->> 'key')::boolean is true and item ->> 'type' = 'inet') then
      perform trailhound.refuse_lookup(format('column %s cannot be public_only', of_column), 'A key of type inet can.');
    end if;
  end loop;
  if keys > 1 then
    perform trailhound.refuse_lookup('only one of columns can be a key', 'Others that change what is asked have a default, and are inputs.');
  end if;
  -- A key may be anything, and then has no row; a default that has none would leave the table empty.
  filled := split_part(definition.url_template, '?', 1);
  for item in select jsonb_array_elements(definition.columns) loop
    filled := replace(filled, '{' || (item ->> 'name') || '}', coalesce(translate(item ->> 'default', '/{}', 'xxx'), 'x'));
  end loop;
  if filled ~ '/\.{1,2}(/|$)' then
    perform trailhound.refuse_lookup('with its defaults url_template would lead to another URL',
      'A segment of a path cannot be . or .. alone: choose another default, or write its {column} into the query.');
  end if;
  unknown := (select min(a) from unnest(asked) a where a <> all (declared));
  if unknown is not null then
    perform trailhound.refuse_lookup(format('url_template names {%s}, which is no key', unknown),
      format('Declare a column %s with "key": true, or with a default.', unknown));
  end if;
  if keys = 0 and cardinality(declared) > 0 then
    perform trailhound.refuse_lookup('a look-up with inputs needs a key', 'Declare one of its columns with "key": true.');
  end if;

  if not exists (select from trailhound.http_host h where h.connection = definition.connection) then
    raise exception using errcode = '42704',
      message = format('there is no connection "%s" of kind http that may call a host', definition.connection),
      hint = 'Add it to connections and its host to http.allow in the configuration, and start the server anew.';
  end if;
  if not exists (select from trailhound.http_host h where h.connection = definition.connection
      and h.host = origin[2] || coalesce(nullif(origin[3], case origin[1] when 'https' then ':443' else ':80' end), '')
      and (h.private or origin[1] = 'https')) then
    allowed := (select string_agg(case when h.private then 'http or https' else 'https' end || '://' || h.host, ', ' order by h.host)
      from trailhound.http_host h where h.connection = definition.connection);
    raise exception using errcode = '42501',
      message = format('connection %s may not call %s://%s%s', definition.connection, origin[1], origin[2], origin[3]),
      detail = format('It may call %s.', coalesce(allowed, 'no host')),
      hint = 'Add the host to http.allow in the configuration, and start the server anew.';
  end if;
end $$;
comment on function trailhound.check_lookup(trailhound.lookup_entry) is 'Fails where create_lookup() cannot make a table of a definition';

create or replace function trailhound.refuse_lookup(message text, hint text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform trailhound.raise('22023', message, null, hint);
end $$;
comment on function trailhound.refuse_lookup(text, text) is 'Fails with 22023';

-- The foreign table of a definition, and its view.
create or replace function trailhound.build_lookup(definition trailhound.lookup_entry) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  columns text;
  item jsonb;
begin
  select string_agg(format('%I %s options (%s) %s', c ->> 'name', c ->> 'type',
      case when (c ->> 'key')::boolean then format($o$key 'required', operators '=', path %L$o$, '@' || (c ->> 'name'))
        when c ? 'default' then format($o$key 'input', operators '=', path %L, default %L$o$, '@' || (c ->> 'name'), c ->> 'default')
        -- As text: a double holds not every number within.
        when c ->> 'type' = 'jsonb' then format('path %L', '@record.' || (c ->> 'name'))
        else format('path %L', c ->> 'name') end,
      case when (c ->> 'key')::boolean then 'not null' else '' end), ', ' order by place)
    into columns
    from jsonb_array_elements(definition.columns) with ordinality as e(c, place);
  execute format('create foreign table source.%I (%s) server trailhound options (source %L, kind %L%s)',
    definition.name, columns, format('lookup:%s:%s', definition.name, definition.id),
    case when definition.columns @> '[{"key": true}]' then 'lookup' else 'scan' end,
    case when definition.ttl is null then '' else format(', ttl %L', definition.ttl) end);
  execute format('comment on foreign table source.%I is %L', definition.name,
    format('GET %s, made by trailhound.create_lookup()', definition.url_template));
  for item in select jsonb_array_elements(definition.columns) loop
    execute format('comment on column source.%I.%I is %L', definition.name, item ->> 'name',
      coalesce(item ->> 'comment', case when (item ->> 'key')::boolean then 'The value that was asked for'
        when item ? 'default' then 'Asked for as well' else item ->> 'path' end));
  end loop;
  execute format('create or replace view public.%1$I as select * from source.%1$I', definition.name);
end $$;
comment on function trailhound.build_lookup(trailhound.lookup_entry) is 'Makes the table of a definition';

-- As it was before it took more_at.
drop function if exists trailhound.create_lookup(text, text, jsonb, text, text, text, interval);
create or replace function trailhound.create_lookup(
  name text, url_template text, columns jsonb, connection text, rows_at text default null, format text default 'json', ttl interval default null,
  more_at text default null)
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  definition trailhound.lookup_entry;
  taken text;
begin
  definition.name := create_lookup.name;
  definition.url_template := create_lookup.url_template;
  definition.columns := create_lookup.columns;
  definition.connection := create_lookup.connection;
  definition.rows_at := create_lookup.rows_at;
  definition.format := create_lookup.format;
  definition.ttl := create_lookup.ttl;
  definition.more_at := create_lookup.more_at;
  perform trailhound.check_lookup(definition);
  -- A relation of that name in one of these would be found in its place, or hide it.
  taken := (select min(n.nspname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relname = definition.name and n.nspname = any (array['public', 'source', 'steampipe', 'workspace', 'pg_catalog']));
  if taken is not null then
    raise exception using errcode = '42P07', message = pg_catalog.format('relation "%s" already exists in schema %s', definition.name, taken),
      hint = 'Choose another name; trailhound.drop_lookup() drops a look-up.';
  end if;
  insert into trailhound.lookup_entry as e (name, url_template, columns, connection, rows_at, format, ttl, more_at, created_by)
    values (definition.name, definition.url_template, definition.columns, definition.connection, definition.rows_at,
      definition.format, definition.ttl, definition.more_at, session_user)
    returning * into definition;
  perform trailhound.build_lookup(definition);
  perform trailhound.show_table(pg_catalog.format('source.%I', definition.name)::regclass);
  perform pg_notify('trailhound_definition', 'lookup');
end $$;
comment on function trailhound.create_lookup(text, text, jsonb, text, text, text, interval, text) is 'Makes a table of what an HTTP service answers, one request a key';

create or replace function trailhound.drop_lookup(name text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  delete from trailhound.lookup_entry e where e.name = drop_lookup.name;
  if not found then
    raise exception using errcode = '42P01', message = format('there is no look-up "%s"', drop_lookup.name),
      hint = 'trailhound.lookup lists what trailhound.create_lookup() made.';
  end if;
  -- What users made on it is in the way, as of any view.
  execute format('drop view public.%I', drop_lookup.name);
  execute format('drop foreign table source.%I', drop_lookup.name);
  delete from trailhound.key_cache c where c.table_name = drop_lookup.name;
  delete from trailhound.kept_scan k where k.table_name = drop_lookup.name;
  perform pg_notify('trailhound_definition', 'lookup');
end $$;
comment on function trailhound.drop_lookup(text) is 'Drops what trailhound.create_lookup() made';

revoke all on function trailhound.check_lookup(trailhound.lookup_entry), trailhound.build_lookup(trailhound.lookup_entry),
  trailhound.refuse_lookup(text, text), trailhound.create_lookup(text, text, jsonb, text, text, text, interval, text),
  trailhound.drop_lookup(text) from public;
grant execute on function trailhound.create_lookup(text, text, jsonb, text, text, text, interval, text), trailhound.drop_lookup(text)
  to trailhound_admin;

-- Over what an earlier version of these files made.
do $$
declare
  definition trailhound.lookup_entry;
begin
  for definition in select * from trailhound.lookup_entry order by id loop
    perform trailhound.build_lookup(definition);
  end loop;
end $$;
