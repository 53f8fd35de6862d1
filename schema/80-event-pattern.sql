-- EventBridge's event patterns. A pattern becomes one jsonpath, which PostgreSQL evaluates natively; where the pattern is
-- a constant, that is done once, while the statement is planned.
--
-- A field's values are its primitive values, through arrays; fields in objects below one array have to match in the same
-- element (array consistency), which nested filters say by themselves: exists($."a" ? (exists(@."b" ? …) && …)).
-- Each function is what AWS's matcher does where the documentation says less: numbers are equal by value, an address
-- equals all of its notations, `exists: false` means the elements that fields before it, by name, have matched in.

create or replace function trailhound.event_pattern_error(field text, message text) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  raise exception using errcode = '22023',
    message = format('invalid event pattern at %s: %s', coalesce(nullif(field, ''), 'its top'), message),
    hint = 'See "Comparison operators for use in event patterns" in the Amazon EventBridge User Guide.';
end $$;

-- What jsonpath calls a string.
create or replace function trailhound.jsonpath_string(value text) returns text
language sql immutable strict parallel safe
return pg_catalog.to_json(value)::pg_catalog.text;

-- What a field's value is; objects and arrays are no values.
create or replace function trailhound.event_pattern_primitive() returns text
language sql immutable parallel safe
return '@.type() != "object" && @.type() != "array"';

-- A regular expression for the text itself, in either case where `fold` says so, character by character as AWS does.
create or replace function trailhound.event_pattern_literal(value text, fold boolean) returns text
language sql immutable strict parallel safe set search_path = pg_catalog, pg_temp
return coalesce((select string_agg(
    case when fold and lower(c) <> upper(c) then '(?:' || lower(c) || '|' || upper(c) || ')'
      when c ~ '[[:alnum:]]' or ascii(c) > 127 then c
      else '\' || c end, '' order by place)
  from regexp_split_to_table(value, '') with ordinality as s(c, place) where c <> ''), '');

-- The same for a wildcard: * is any text, \* and \\ are themselves.
create or replace function trailhound.event_pattern_wildcard(value text, field text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  part text;
  result text := '';
  was_star boolean := false;
begin
  for part in select m[1] from regexp_matches(value, '(\\.|\\|\*|[^\\*]+)', 'gs') as m loop
    if part = '*' then
      if was_star then perform trailhound.event_pattern_error(field, 'two wildcard characters in a row'); end if;
      result := result || '.*';
    elsif part in ('\*', '\\') then
      result := result || part;
    elsif starts_with(part, '\') then
      perform trailhound.event_pattern_error(field, 'a backslash may escape * and \ only');
    else
      result := result || trailhound.event_pattern_literal(part, false);
    end if;
    was_star := part = '*';
  end loop;
  return result;
end $$;

-- A text that has to be one, and where it is none says so.
create or replace function trailhound.event_pattern_text(value jsonb, field text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  if jsonb_typeof(value) is distinct from 'string' then
    perform trailhound.event_pattern_error(field, 'it takes a string');
  end if;
  return value #>> '{}';
end $$;

-- prefix, suffix, equals-ignore-case or wildcard of one text as a condition of jsonpath on @.
create or replace function trailhound.event_pattern_text_condition(operator text, value jsonb, field text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  fold boolean := operator = 'equals-ignore-case';
  body text;
begin
  if operator in ('prefix', 'suffix') and jsonb_typeof(value) = 'object' then
    if array(select jsonb_object_keys(value)) <> array['equals-ignore-case'] then
      perform trailhound.event_pattern_error(field, format('"%s" takes a string or {"equals-ignore-case": …}', operator));
    end if;
    fold := true;
    value := value -> 'equals-ignore-case';
  end if;
  body := trailhound.event_pattern_text(value, field);
  if operator = 'prefix' and not fold then
    return format('@ starts with %s', trailhound.jsonpath_string(body));
  end if;
  body := case operator when 'wildcard' then trailhound.event_pattern_wildcard(body, field)
    else trailhound.event_pattern_literal(body, fold) end;
  return format('@ like_regex %s flag "s"', trailhound.jsonpath_string(
    case when operator <> 'suffix' then '^' else '' end || body || case when operator <> 'prefix' then '$' else '' end));
end $$;

create or replace function trailhound.event_pattern_number(value jsonb, field text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  if jsonb_typeof(value) is distinct from 'number' then
    perform trailhound.event_pattern_error(field, '"numeric" compares with numbers');
  end if;
  return value::text;
end $$;

create or replace function trailhound.event_pattern_numeric(terms jsonb, field text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  low text := terms ->> 0;
  high text := terms ->> 2;
begin
  if jsonb_typeof(terms) is distinct from 'array' or jsonb_array_length(terms) not in (2, 4)
    or low is null or low not in ('=', '<', '<=', '>', '>=')
    or jsonb_array_length(terms) = 4 and (low not in ('>', '>=') or high is null or high not in ('<', '<=')) then
    perform trailhound.event_pattern_error(field, '"numeric" takes ["=", n], ["<", n] and the like, or [">", n, "<", m]');
  end if;
  return format('@ %s %s', case low when '=' then '==' else low end, trailhound.event_pattern_number(terms -> 1, field))
    || case when high is null then ''
      else format(' && @ %s %s', high, trailhound.event_pattern_number(terms -> 3, field)) end;
end $$;

create or replace function trailhound.event_pattern_anything_but(excluded jsonb, field text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  operator text;
  result text;
begin
  if jsonb_typeof(excluded) = 'object' then
    select min(key) into operator from jsonb_object_keys(excluded) as k(key) having count(*) = 1;
    if operator is null or operator not in ('prefix', 'suffix', 'equals-ignore-case', 'wildcard') then
      perform trailhound.event_pattern_error(field,
        '"anything-but" takes values, or one of prefix, suffix, equals-ignore-case and wildcard');
    end if;
    excluded := excluded -> operator;
  end if;
  if jsonb_typeof(excluded) <> 'array' then excluded := jsonb_build_array(excluded); end if;
  if jsonb_array_length(excluded) = 0 then perform trailhound.event_pattern_error(field, '"anything-but" of nothing'); end if;
  if (select count(distinct jsonb_typeof(v)) <> 1 or min(jsonb_typeof(v)) not in ('string', 'number')
    from jsonb_array_elements(excluded) as v) then
    perform trailhound.event_pattern_error(field, '"anything-but" takes strings only or numbers only');
  end if;
  if operator in ('prefix', 'suffix') and excluded @> '[""]' then
    perform trailhound.event_pattern_error(field, format('"anything-but" of an empty %s', operator));
  end if;
  select string_agg(case when operator is null then format('@ == %s', v)
      else trailhound.event_pattern_text_condition(operator, v, field) end, ' || ')
    into result from jsonb_array_elements(excluded) as v;
  -- A number is unlike every text: jsonpath answers "unknown" there.
  return format('%s && (!(%s) || (%2$s) is unknown)', trailhound.event_pattern_primitive(), result);
end $$;

-- An address in a pattern, or a block of them, is a variable: the values of the event that lie in it.
create or replace function trailhound.event_pattern_block(value text) returns cidr
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
return case when value ~ '^([0-9]+(\.[0-9]+){3}|[0-9a-fA-F:]*:[0-9a-fA-F:]*)(/[0-9]+)?$' then network(try_inet(value)) end;

-- One alternative as a condition of jsonpath on @, a primitive value. `exists: false` is none: see event_pattern_sets.
create or replace function trailhound.event_pattern_condition(alternative jsonb, field text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  operator text;
  value jsonb;
  block cidr;
begin
  case jsonb_typeof(alternative)
    when 'array' then perform trailhound.event_pattern_error(field, 'a value cannot be an array');
    when 'object' then
      select min(key) into operator from jsonb_object_keys(alternative) as k(key) having count(*) = 1;
      value := alternative -> operator;
    else
      block := case when jsonb_typeof(alternative) = 'string' then trailhound.event_pattern_block(alternative #>> '{}') end;
      return format('@ == %s', alternative) || case when block is null then '' else format(' || @ == $"%s"', block) end;
  end case;
  case operator
    when 'exact' then return format('@ == %s', trailhound.jsonpath_string(trailhound.event_pattern_text(value, field)));
    when 'prefix', 'suffix', 'equals-ignore-case', 'wildcard' then
      return trailhound.event_pattern_text_condition(operator, value, field);
    when 'numeric' then return trailhound.event_pattern_numeric(value, field);
    when 'anything-but' then return trailhound.event_pattern_anything_but(value, field);
    when 'cidr' then
      block := trailhound.event_pattern_block(trailhound.event_pattern_text(value, field));
      if block is null or position('/' in value #>> '{}') = 0 then
        perform trailhound.event_pattern_error(field, 'that is no CIDR block');
      end if;
      return format('@ == $"%s"', block);
    when 'exists' then
      if jsonb_typeof(value) is distinct from 'boolean' then
        perform trailhound.event_pattern_error(field, '"exists" takes true or false');
      end if;
      return trailhound.event_pattern_primitive();
    else
      perform trailhound.event_pattern_error(field, format('there is no comparison %s', alternative));
  end case;
end $$;

-- What a pattern asks, as alternatives of each other (`$or` multiplies): each an object from a field's whole name to
-- {"path": [key, …], "any": [alternative, …]}.
create or replace function trailhound.event_pattern_sets(pattern jsonb, path text[], sets jsonb) returns jsonb
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  key text;
  body jsonb;
  name text := array_to_string(path, '.');
  reserved constant text[] := array['exact', 'prefix', 'suffix', 'equals-ignore-case', 'wildcard', 'anything-but', 'exists', 'numeric', 'cidr'];
begin
  if jsonb_typeof(pattern) is distinct from 'object' then
    perform trailhound.event_pattern_error(name, 'it has to be an object');
  elsif pattern = '{}' then
    perform trailhound.event_pattern_error(name, 'an empty object matches nothing that can be said');
  end if;
  for key, body in select * from jsonb_each(pattern) loop
    name := array_to_string(path || key, '.');
    if key = '$or' then
      if jsonb_typeof(body) is distinct from 'array' or jsonb_array_length(body) < 2 then
        perform trailhound.event_pattern_error(name, '"$or" takes an array of two objects or more');
      end if;
      if exists (select from jsonb_array_elements(body) as o, jsonb_object_keys(case jsonb_typeof(o) when 'object' then o else '{}' end) as k
        where k = any (reserved)) then
        perform trailhound.event_pattern_error(name, 'a comparison cannot stand right in "$or"');
      end if;
      select jsonb_agg(s) into sets from jsonb_array_elements(body) as o,
        jsonb_array_elements(trailhound.event_pattern_sets(o, path, sets)) as s;
      -- The bound that EventBridge itself has.
      if jsonb_array_length(sets) > 1000 then
        perform trailhound.event_pattern_error(name, 'more than 1000 combinations of "$or"');
      end if;
    elsif jsonb_typeof(body) = 'object' then
      sets := trailhound.event_pattern_sets(body, path || key, sets);
    elsif jsonb_typeof(body) = 'array' then
      if body = '[]' then perform trailhound.event_pattern_error(name, 'an empty array matches nothing'); end if;
      if exists (select from jsonb_array_elements(sets) as s where s ? name) then
        perform trailhound.event_pattern_error(name, 'the field stands there twice');
      end if;
      select jsonb_agg(s || jsonb_build_object(name, jsonb_build_object('path', path || key, 'any', body))) into sets
        from jsonb_array_elements(sets) as s;
    else
      perform trailhound.event_pattern_error(name, 'it has to be an object or an array of values');
    end if;
  end loop;
  return sets;
end $$;

-- A set's fields as [{"name", "path", "condition"}], without condition where the field must be absent. A field that may be
-- either makes two sets of one: what AWS's matcher takes for absent depends on what else matched.
create or replace function trailhound.event_pattern_ways(fields jsonb) returns jsonb
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  name text;
  field jsonb;
  condition text;
  leaves jsonb;
  ways jsonb := '[[]]';
begin
  for name, field in select * from jsonb_each(fields) loop
    select string_agg(trailhound.event_pattern_condition(a, format('%s[%s]', name, place - 1)), ' || ' order by place)
      into condition from jsonb_array_elements(field -> 'any') with ordinality as v(a, place) where a <> '{"exists": false}';
    leaves := jsonb_build_array();
    field := jsonb_build_object('name', name, 'path', field -> 'path');
    if condition is not null then leaves := leaves || jsonb_build_array(field || jsonb_build_object('condition', condition)); end if;
    if fields -> name -> 'any' @> '[{"exists": false}]' then leaves := leaves || jsonb_build_array(field); end if;
    select jsonb_agg(w || jsonb_build_array(l)) into ways from jsonb_array_elements(ways) as w, jsonb_array_elements(leaves) as l;
    if jsonb_array_length(ways) > 1000 then
      perform trailhound.event_pattern_error(name, 'more than 1000 combinations of fields that may be absent');
    end if;
  end loop;
  return ways;
end $$;

-- A key below @, through arrays. jsonpath opens one array by itself at each accessor, AWS all of them.
create or replace function trailhound.event_pattern_accessor(keys jsonb, depth integer) returns text
language sql immutable strict parallel safe set search_path = pg_catalog, pg_temp
return (select string_agg(format('.%s[*]', trailhound.jsonpath_string(k)), '' order by place)
  from jsonb_array_elements_text(keys) with ordinality as e(k, place) where place > depth);

-- The condition on @ for leaves that share the first `depth` keys of their paths, which @ stands at.
create or replace function trailhound.event_pattern_filter(leaves jsonb, depth integer) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  terms text[];
begin
  -- What must be absent is looked for below the deepest object that a field before it has matched in.
  select array_agg(format('!exists(@%s ? (%s))', trailhound.event_pattern_accessor(l -> 'path', depth),
      trailhound.event_pattern_primitive()) order by l ->> 'name' collate "C")
    into terms from jsonb_array_elements(leaves) as l
    where not l ? 'condition' and (l ->> 'depth')::integer = depth;
  -- Shallow fields first: they are the cheapest to read.
  select coalesce(terms, '{}') || array_agg(term order by deep, term) into terms from (
    select deep, case
        when deep then format('exists(@%s ? (%s))', accessor, trailhound.event_pattern_filter(jsonb_agg(l), depth + 1))
        else format('exists(@%s ? (%s))', accessor, min(l ->> 'condition')) end as term
      from (select l, jsonb_array_length(l -> 'path') > depth + 1 as deep,
          format('.%s[*]', trailhound.jsonpath_string(l -> 'path' ->> depth)) as accessor
        from jsonb_array_elements(leaves) as l where l ? 'condition' or (l ->> 'depth')::integer > depth) as f
      group by deep, accessor) as t;
  return array_to_string(terms, ' && ');
end $$;

create or replace function trailhound.event_pattern_path(pattern jsonb) returns jsonpath
language plpgsql immutable strict parallel safe set search_path = pg_catalog, pg_temp as $$
declare
  ways jsonb;
begin
  select jsonb_agg(w) into ways from jsonb_array_elements(trailhound.event_pattern_sets(pattern, '{}', '[{}]')) as s,
    jsonb_array_elements(trailhound.event_pattern_ways(s)) as w;
  return '$ ? (' || (select string_agg('(' || trailhound.event_pattern_filter(w, 0) || ')', ' || ') from (
    select (select jsonb_agg(case when l ? 'condition' then l else l || jsonb_build_object('depth', (
          select coalesce(max(shared), 0) from jsonb_array_elements(w) as other,
            lateral (select count(*) as shared from generate_series(1, jsonb_array_length(l -> 'path') - 1) as n
              where (select jsonb_agg(k) from jsonb_array_elements(l -> 'path') with ordinality as a(k, i) where i <= n)
                = (select jsonb_agg(k) from jsonb_array_elements(other -> 'path') with ordinality as a(k, i) where i <= n)) as s
          where other ? 'condition' and other ->> 'name' < l ->> 'name' collate "C")) end)
      from jsonb_array_elements(w) as l) as w
    from jsonb_array_elements(ways) as w) as s) || ')';
end $$;
comment on function trailhound.event_pattern_path(jsonb) is 'An EventBridge event pattern as a jsonpath; its variables are the blocks of addresses that it names';

-- The blocks of addresses that a pattern names: NULL where it names none.
create or replace function trailhound.event_pattern_blocks(pattern jsonb) returns cidr[]
language sql immutable strict parallel safe set search_path = pg_catalog, pg_temp
return (select array_agg(distinct b) from jsonb_path_query(pattern, 'strict $.** ? (@.type() == "string")') as v,
  trailhound.event_pattern_block(v #>> '{}') as b where b is not null);

-- The values of an event that lie in each block, by the block's text.
create or replace function trailhound.event_pattern_variables(event jsonb, blocks cidr[]) returns jsonb
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
return (
  with address as materialized (
    select value, try_inet(value #>> '{}') as inet
    from jsonb_path_query(event, 'strict $.** ? (@ like_regex "^([0-9]+([.][0-9]+){3}|[0-9a-fA-F:]*:[0-9a-fA-F:]*)$")') as v(value))
  select jsonb_object_agg(block::text,
    coalesce((select jsonb_agg(value) from address where inet <<= block), '[]'))
  from unnest(blocks) as b(block));

create or replace function trailhound.event_path_matches(event jsonb, path jsonpath, blocks cidr[]) returns boolean
language plpgsql immutable parallel safe as $$
begin
  if blocks is null then return pg_catalog.jsonb_path_exists(event, path, '{}', true); end if;
  return pg_catalog.jsonb_path_exists(event, path, trailhound.event_pattern_variables(event, blocks), true);
end $$;

create or replace function trailhound.event_matches(event jsonb, pattern jsonb) returns boolean
language sql immutable parallel safe
return trailhound.event_path_matches(event, trailhound.event_pattern_path(pattern), trailhound.event_pattern_blocks(pattern));
comment on function trailhound.event_matches(jsonb, jsonb) is 'Whether an event matches an Amazon EventBridge event pattern, as EventBridge itself decides';

-- Why an event matches: each value that an alternative of a field accepts. An absent field has none.
create or replace function trailhound.event_match_reasons(event jsonb, pattern jsonb)
returns table (field text, rule jsonb, value jsonb)
language plpgsql immutable strict parallel safe set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  -- A pattern without addresses has none, and jsonpath is strict.
  variables constant jsonb :=
    coalesce(trailhound.event_pattern_variables(event, trailhound.event_pattern_blocks(pattern)), '{}');
begin
  if not trailhound.event_matches(event, pattern) then return; end if;
  return query with rule as (
    select distinct name, a, a = '{"exists": false}' as absent, format('$%s ? (%s)', trailhound.event_pattern_accessor(body -> 'path', 0),
        trailhound.event_pattern_condition(case when a = '{"exists": false}' then '{"exists": true}' else a end, name)) as path
      from jsonb_array_elements(trailhound.event_pattern_sets(pattern, '{}', '[{}]')) as s(fields),
        jsonb_each(fields) as f(name, body), jsonb_array_elements(body -> 'any') as e(a))
  select name, a, v from rule, jsonb_path_query(event, path::jsonpath, variables, true) as q(v) where not absent
  union select name, a, null from rule where absent and not jsonb_path_exists(event, path::jsonpath, variables, true)
  order by 1, 2, 3;
end $$;
comment on function trailhound.event_match_reasons(jsonb, jsonb) is 'For an event that matches a pattern: which field, by which rule, with which value; no rows where it does not';

-- The envelope in which EventBridge delivers a record of CloudTrail, or a finding of GuardDuty. A record that has one already
-- stays as it is.
create or replace function trailhound.as_event(record jsonb) returns jsonb
language sql immutable strict parallel safe set search_path = pg_catalog, pg_temp
return case when record ? 'detail-type' and jsonb_typeof(record -> 'detail') = 'object' then record
when record ? 'service' and record ? 'severity' and record ? 'type' and not record ? 'eventSource' then jsonb_build_object(
  'version', '0',
  'id', record -> 'id',
  'detail-type', 'GuardDuty Finding',
  'source', 'aws.guardduty',
  'account', record -> 'accountId',
  'time', record -> 'updatedAt',
  'region', record -> 'region',
  'resources', '[]'::jsonb,
  'detail', record)
else jsonb_build_object(
  'version', '0',
  'id', record -> 'eventID',
  'detail-type', case record ->> 'eventType'
    when 'AwsConsoleSignIn' then 'AWS Console Sign In via CloudTrail'
    when 'AwsServiceEvent' then 'AWS Service Event via CloudTrail'
    when 'AwsConsoleAction' then 'AWS Console Action via CloudTrail'
    when 'AwsCloudTrailInsight' then 'AWS Insight via CloudTrail'
    else 'AWS API Call via CloudTrail' end,
  'source', 'aws.' || split_part(record ->> 'eventSource', '.', 1),
  'account', record -> 'recipientAccountId',
  'time', record -> 'eventTime',
  'region', record -> 'awsRegion',
  'resources', '[]'::jsonb,
  'detail', record) end;
comment on function trailhound.as_event(jsonb) is 'A CloudTrail record, or a GuardDuty finding, in the envelope in which Amazon EventBridge delivers it';
