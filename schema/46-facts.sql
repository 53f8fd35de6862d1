-- What planning has to know of a statement's names and of the session, in one call on the client's own backend. It runs
-- with the caller's rights and search_path, so every name in it is qualified. Planning it takes longer than running it, and
-- PostgreSQL would plan it each time, since the lengths of its arrays promise fewer rows: it is planned once a session.
create or replace function trailhound.statement_facts(relations text[], functions text[], settings text[], noted text[])
returns text language plpgsql stable set plan_cache_mode = force_generic_plan as $$
begin
  return pg_catalog.json_build_object(
    'relations', (select pg_catalog.json_agg(pg_catalog.json_build_object(
        'name', n.name, 'oid', c.oid::pg_catalog.int8, 'kind', c.relkind,
        'columns', (select pg_catalog.json_agg(a.attname order by a.attnum) from pg_catalog.pg_attribute a
          where a.attrelid operator(pg_catalog.=) c.oid and a.attnum operator(pg_catalog.>) 0 and not a.attisdropped),
        -- NULL: all of them.
        'readable', case when not pg_catalog.has_table_privilege(c.oid, 'SELECT') then
          coalesce((select pg_catalog.json_agg(a.attname) from pg_catalog.pg_attribute a
            where a.attrelid operator(pg_catalog.=) c.oid and a.attnum operator(pg_catalog.>) 0 and not a.attisdropped
              and pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')), '[]'::pg_catalog.json) end) order by n.name)
      from pg_catalog.unnest(relations) as n(name)
      join pg_catalog.pg_class c on c.oid operator(pg_catalog.=) pg_catalog.to_regclass(n.name)::pg_catalog.oid),
    'functions', (select pg_catalog.json_agg(pg_catalog.json_build_object('name', p.proname,
        'volatile', p.provolatile operator(pg_catalog.=) 'v',
        'aggregate', p.prokind operator(pg_catalog.=) any (array['a', 'w']::pg_catalog."char"[]),
        'set', p.proretset,
        -- Arguments of a variadic one become an array, which is not NULL.
        'strict', p.proisstrict and p.prokind operator(pg_catalog.=) 'f' and not p.proretset
          and p.provariadic operator(pg_catalog.=) 0) order by p.oid)
      from pg_catalog.pg_proc p where p.proname operator(pg_catalog.=) any (functions::pg_catalog.name[])),
    'equality', not exists (select from pg_catalog.pg_operator o
      where o.oprname operator(pg_catalog.=) any (array['=', '<>', '<=', '>=']::pg_catalog.name[])
        and o.oprnamespace operator(pg_catalog.<>) 'pg_catalog'::pg_catalog.regnamespace
        and 'pg_catalog.inet'::pg_catalog.regtype operator(pg_catalog.=) any (array[o.oprleft, o.oprright])
        and pg_catalog.pg_operator_is_visible(o.oid)),
    -- An interval's length is for PostgreSQL to compute; what is none stays as it is and is refused later.
    'settings', (select pg_catalog.json_object_agg(s.name,
        case when s.name operator(pg_catalog.=) 'trailhound.cache_max_age' and pg_catalog.pg_input_is_valid(v.text, 'interval')
          then (pg_catalog.extract('epoch', v.text::pg_catalog.interval) operator(pg_catalog.*) 1000)::pg_catalog.text
          else v.text end)
      from pg_catalog.unnest(settings) as s(name)
        cross join lateral (select pg_catalog.current_setting(s.name, true) as text) as v),
    -- PostgreSQL takes any name with a dot and lists none that it does not know: the session says which it has seen set,
    -- and for roles and databases they are written down. RESET and ROLLBACK leave an empty text behind.
    'misspelt', (select pg_catalog.min(m.name)
      from (select pg_catalog.unnest(noted)
        union all select pg_catalog.lower(pg_catalog.split_part(c, '=', 1))
          from pg_catalog.pg_db_role_setting d, pg_catalog.unnest(d.setconfig) as c
          where pg_catalog.starts_with(pg_catalog.lower(c), 'trailhound.')
            and (d.setrole operator(pg_catalog.=) 0 or d.setrole operator(pg_catalog.=)
              pg_catalog.to_regrole(pg_catalog.quote_ident(session_user))::pg_catalog.oid)
            and (d.setdatabase operator(pg_catalog.=) 0 or d.setdatabase operator(pg_catalog.=)
              (select b.oid from pg_catalog.pg_database b where b.datname operator(pg_catalog.=) pg_catalog.current_database()))
        ) as m(name)
      where m.name operator(pg_catalog.<>) all (settings) and pg_catalog.current_setting(m.name, true) operator(pg_catalog.<>) ''),
    'role', current_user,
    'user', session_user,
    'timeout', pg_catalog.extract('epoch', pg_catalog.current_setting('statement_timeout')::pg_catalog.interval)
      operator(pg_catalog.*) 1000,
    'encoding', pg_catalog.current_setting('client_encoding'),
    'messages', pg_catalog.current_setting('client_min_messages'),
    'strings', pg_catalog.current_setting('standard_conforming_strings'),
    'nulls', pg_catalog.current_setting('array_nulls'),
    'digits', pg_catalog.current_setting('extra_float_digits'),
    'dates', pg_catalog.current_setting('datestyle'),
    'isolation', pg_catalog.current_setting('transaction_isolation'),
    'path', pg_catalog.current_schemas(true))::pg_catalog.text;
end $$;
comment on function trailhound.statement_facts(text[], text[], text[], text[]) is 'What planning has to know of a statement''s names and of the session';
grant execute on function trailhound.statement_facts(text[], text[], text[], text[]) to public;
