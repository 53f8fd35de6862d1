import type { Catalog } from '../catalog/table.ts';
import { RUNS_TEXT } from '../planner/definitions.ts';
import type { ClientBackend } from './backend.ts';
import { ParameterList } from './parameters.ts';

/** What users made that leads to virtual tables. */
export interface Leading {
  /** In lower case. */
  readonly names: ReadonlySet<string>;
  readonly oids: ReadonlySet<string>;
  /** That the texts of its functions consist of, in lower case. */
  readonly words: ReadonlySet<string>;
  /** A function of them stands behind an operator, a cast, a constraint, …: a statement calls it without its name. */
  readonly hidden: boolean;
  /** A trigger or a rule of a table leads there: a statement that writes may run it, by way of other tables, too. */
  readonly triggered: boolean;
}

interface Thing {
  /** Unsigned: as text it is the same in JSON and here. */
  readonly oid: string;
  readonly name: string;
  readonly needs: readonly string[] | null;
  /** Of a function whose body is text. */
  readonly body: string | null;
  readonly hidden: boolean;
  readonly triggered: boolean;
}

/**
 * Users' views, tables with triggers or policies, and functions whose bodies can be read, with what each depends on. What
 * is written in other languages than these two may run any text.
 */
export const THINGS_SQL = `
  with user_relation as (
    select c.oid, c.relname, c.relkind from pg_catalog.pg_class c
      join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace
    where c.oid operator(pg_catalog.>=) 16384::pg_catalog.oid
      and c.relkind operator(pg_catalog.=) any (array['v', 'm', 'r', 'p']::pg_catalog."char"[])
      and c.oid operator(pg_catalog.<>) all ($1::pg_catalog.text[]::pg_catalog.oid[])
      and n.nspname operator(pg_catalog.<>) all (array['source', 'trailhound', 'trailhound_rows', 'pg_toast']::pg_catalog.name[])
  ), need as (
    select w.ev_class as oid, d.refobjid from pg_catalog.pg_rewrite w
      join pg_catalog.pg_depend d on d.classid operator(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass::pg_catalog.oid
        and d.objid operator(pg_catalog.=) w.oid
    union all select t.tgrelid, t.tgfoid from pg_catalog.pg_trigger t where not t.tgisinternal
    union all select p.polrelid, d.refobjid from pg_catalog.pg_policy p
      join pg_catalog.pg_depend d on d.classid operator(pg_catalog.=) 'pg_catalog.pg_policy'::pg_catalog.regclass::pg_catalog.oid
        and d.objid operator(pg_catalog.=) p.oid
    union all select d.objid, d.refobjid from pg_catalog.pg_depend d
      where d.classid operator(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid
        and d.refclassid operator(pg_catalog.=) any (array['pg_catalog.pg_class'::pg_catalog.regclass, 'pg_catalog.pg_proc'::pg_catalog.regclass]::pg_catalog.oid[])
  ), thing as (
    select r.oid::pg_catalog.text as oid, r.relname as name, null::pg_catalog.text as body, false as hidden,
        r.relkind operator(pg_catalog.=) any (array['r', 'p']::pg_catalog."char"[])
          or exists (select from pg_catalog.pg_trigger t where t.tgrelid operator(pg_catalog.=) r.oid and not t.tgisinternal)
          or exists (select from pg_catalog.pg_rewrite w where w.ev_class operator(pg_catalog.=) r.oid
            and w.ev_type operator(pg_catalog.<>) '1') as triggered,
        (select pg_catalog.array_agg(distinct n.refobjid::pg_catalog.text) from need n
          where n.oid operator(pg_catalog.=) r.oid and n.refobjid operator(pg_catalog.<>) r.oid) as needs
      from user_relation r
      where exists (select from need n where n.oid operator(pg_catalog.=) r.oid and n.refobjid operator(pg_catalog.<>) r.oid)
    union all
    select p.oid::pg_catalog.text, p.proname,
        case when l.lanname operator(pg_catalog.<>) all (array['sql', 'plpgsql', 'internal']::pg_catalog.name[]) then 'execute'
          when p.prosqlbody is null then pg_catalog.lower(p.prosrc) end,
        exists (select from pg_catalog.pg_depend d
          where d.refclassid operator(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid
            and d.refobjid operator(pg_catalog.=) p.oid
            and d.classid operator(pg_catalog.<>) all (array['pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_rewrite'::pg_catalog.regclass,
              'pg_catalog.pg_trigger'::pg_catalog.regclass, 'pg_catalog.pg_policy'::pg_catalog.regclass,
              'pg_catalog.pg_event_trigger'::pg_catalog.regclass]::pg_catalog.oid[])),
        false, (select pg_catalog.array_agg(distinct n.refobjid::pg_catalog.text) from need n where n.oid operator(pg_catalog.=) p.oid)
      from pg_catalog.pg_proc p
        join pg_catalog.pg_language l on l.oid operator(pg_catalog.=) p.prolang
        join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) p.pronamespace
      where p.oid operator(pg_catalog.>=) 16384::pg_catalog.oid
        and (l.lanname operator(pg_catalog.<>) all (array['c', 'internal']::pg_catalog.name[]) or p.prokind operator(pg_catalog.=) 'a')
        and n.nspname operator(pg_catalog.<>) all (array['pg_catalog', 'trailhound']::pg_catalog.name[]))
  select coalesce(pg_catalog.json_agg(pg_catalog.row_to_json(t)), '[]'::pg_catalog.json)::pg_catalog.text as things from thing t`;

/** As the client's backend sees it, what its transaction has not committed included. */
export async function askLeading(catalog: Catalog, backend: ClientBackend): Promise<Leading> {
  const parameters = new ParameterList([], []);
  parameters.addTextArray(catalog.views.map(({ oid }) => String(oid)));
  const { rows } = await backend.query({
    text: THINGS_SQL,
    parameterTypes: parameters.types,
    parameters: parameters.values,
  });
  return leadingIn(rows[0]?.[0] ?? '[]', catalog);
}

/** @param answer of `THINGS_SQL` */
export function leadingIn(answer: string, catalog: Catalog): Leading {
  const things = JSON.parse(answer) as readonly Thing[];
  const virtual = [...catalog.views, ...catalog.tables];
  const oids = new Set(virtual.map(({ oid }) => String(oid)));
  const words = new Set([...virtual.map(({ name }) => name), ...RUNS_TEXT, 'execute', 'fetch', 'move']);
  const found = new Set<Thing>();
  for (let before = -1; before < found.size;) {
    before = found.size;
    for (const thing of things) {
      const needs = thing.needs?.some((oid) => oids.has(oid)) === true;
      if (found.has(thing) || !(needs || (thing.body !== null && wordsOf(thing.body).some((word) => words.has(word)))))
        continue;
      found.add(thing);
      oids.add(thing.oid);
      words.add(thing.name.toLowerCase());
    }
  }
  return {
    names: new Set([...found].map(({ name }) => name.toLowerCase())),
    oids: new Set([...found].map(({ oid }) => oid)),
    words: new Set([...found].flatMap(({ body }) => (body === null ? [] : wordsOf(body)))),
    hidden: [...found].some(({ hidden }) => hidden),
    triggered: [...found].some(({ triggered }) => triggered),
  };
}

/** Runs of letters, digits, `_`, `$` and whatever is not ASCII, as identifiers are made of. */
export function wordsOf(text: string): string[] {
  const words: string[] = [];
  let start = -1;
  for (let at = 0; at <= text.length; at += 1) {
    const inside = at < text.length && isWordCode(text.charCodeAt(at));
    if (inside && start === -1) start = at;
    else if (!inside && start !== -1) {
      words.push(text.slice(start, at));
      start = -1;
    }
  }
  return words;
}

function isWordCode(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || code === 95 || code === 36 || code > 127;
}
