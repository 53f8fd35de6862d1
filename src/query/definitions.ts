import type { Node, SelectStmt } from '@pgsql/types';
import type { Catalog } from '../catalog/table.ts';
import { functionNames } from '../planner/dependencies.ts';
import type { CalledFunction, Definitions, NamedRelation } from '../planner/definitions.ts';
import { selectOf } from '../planner/nodes.ts';
import { relationName } from '../planner/relation-facts.ts';
import { parseStatements } from '../sql/parse.ts';
import { bare, walk } from '../sql/walk.ts';
import { quoteIdent } from '../sql/substitute.ts';
import type { ClientBackend } from './backend.ts';
import { ParameterList } from './parameters.ts';

interface Answer {
  readonly relations: readonly RelationRow[] | null;
  readonly functions: readonly FunctionRow[] | null;
}

interface RelationRow {
  readonly oid: number;
  readonly kind: string;
  readonly schema: string;
  readonly name: string;
  readonly visible: boolean;
  readonly temporary: boolean;
  readonly own: boolean;
  readonly invoker: boolean;
  readonly secured: boolean;
  readonly readable: boolean;
  readonly definition: string | null;
}

interface FunctionRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly visible: boolean;
  readonly language: string;
  readonly kind: string;
  readonly arguments: number;
  readonly defaults: number;
  readonly names: readonly string[] | null;
  readonly types: readonly string[];
  readonly own: boolean;
  readonly definer: boolean;
  readonly configured: boolean;
  readonly executable: boolean;
  readonly variadic: boolean;
  readonly strict: boolean;
  readonly alone: boolean;
  /** Of its composite type. */
  readonly attributes: readonly string[] | null;
  readonly modes: readonly string[] | null;
  readonly set: boolean;
  readonly text: string | null;
  readonly atomic: string | null;
}

/**
 * Views and what they are made of, down to tables, and functions that are written in SQL or PL/pgSQL. Text is as PostgreSQL
 * prints it for the session's own search_path, so that its names mean there what they were made to mean.
 */
const DEFINITIONS_SQL = `with recursive reached(class, oid) as (
    select 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid, pg_catalog.to_regclass(n.name)::pg_catalog.oid
      from pg_catalog.unnest($1::pg_catalog.text[]) as n(name) where pg_catalog.to_regclass(n.name) is not null
  union
    select 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid, p.oid from pg_catalog.pg_proc p
      where p.proname operator(pg_catalog.=) any ($2::pg_catalog.text[]) and p.oid operator(pg_catalog.>=) 16384::pg_catalog.oid
  union
    select e.refclassid, e.refobjid from reached r cross join lateral (
      select d.refclassid, d.refobjid from pg_catalog.pg_class c
        join pg_catalog.pg_rewrite w on w.ev_class operator(pg_catalog.=) c.oid
        join pg_catalog.pg_depend d on d.objid operator(pg_catalog.=) w.oid
          and d.classid operator(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass::pg_catalog.oid
        where r.class operator(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
          and c.oid operator(pg_catalog.=) r.oid and c.relkind operator(pg_catalog.=) any (array['v', 'm']::pg_catalog."char"[])
          and c.oid operator(pg_catalog.<>) all ($3::pg_catalog.text[]::pg_catalog.oid[])
      union all
      select d.refclassid, d.refobjid from pg_catalog.pg_depend d
        where r.class operator(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid
          and d.classid operator(pg_catalog.=) r.class and d.objid operator(pg_catalog.=) r.oid) as e
    where e.refclassid operator(pg_catalog.=) any (array['pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid,
      'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid]))
select pg_catalog.json_build_object(
  'relations', (select pg_catalog.json_agg(pg_catalog.json_build_object(
      'oid', c.oid::pg_catalog.int8, 'kind', c.relkind, 'schema', n.nspname, 'name', c.relname,
      'visible', pg_catalog.pg_table_is_visible(c.oid), 'temporary', c.relpersistence operator(pg_catalog.=) 't',
      'own', pg_catalog.pg_get_userbyid(c.relowner) operator(pg_catalog.=) current_user,
      'invoker', coalesce((select o.option_value::pg_catalog.bool from pg_catalog.pg_options_to_table(c.reloptions) o
        where o.option_name operator(pg_catalog.=) 'security_invoker'), false),
      'secured', c.relrowsecurity, 'readable', pg_catalog.has_table_privilege(c.oid, 'SELECT'),
      'definition', case when c.relkind operator(pg_catalog.=) any (array['v', 'm']::pg_catalog."char"[])
        and c.oid operator(pg_catalog.<>) all ($3::pg_catalog.text[]::pg_catalog.oid[]) then pg_catalog.pg_get_viewdef(c.oid) end))
    from reached r join pg_catalog.pg_class c on c.oid operator(pg_catalog.=) r.oid
      join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace
    where r.class operator(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid),
  'functions', (select pg_catalog.json_agg(pg_catalog.json_build_object(
      'oid', p.oid::pg_catalog.int8, 'schema', n.nspname, 'name', p.proname, 'visible', pg_catalog.pg_function_is_visible(p.oid),
      'language', l.lanname, 'kind', p.prokind, 'arguments', p.pronargs, 'defaults', p.pronargdefaults,
      'names', p.proargnames, 'types', (select coalesce(pg_catalog.json_agg(pg_catalog.format_type(t.type, null) order by t.place), '[]'::pg_catalog.json)
        from pg_catalog.unnest(p.proargtypes::pg_catalog.oid[]) with ordinality as t(type, place)),
      'own', pg_catalog.pg_get_userbyid(p.proowner) operator(pg_catalog.=) current_user, 'definer', p.prosecdef,
      'configured', p.proconfig is not null, 'executable', pg_catalog.has_function_privilege(p.oid, 'EXECUTE'),
      'variadic', p.provariadic operator(pg_catalog.<>) 0::pg_catalog.oid,
      'strict', p.proisstrict, 'modes', p.proargmodes,
      'alone', not exists (select from pg_catalog.pg_proc o where o.proname operator(pg_catalog.=) p.proname and o.oid operator(pg_catalog.<>) p.oid),
      'attributes', (select pg_catalog.json_agg(a.attname order by a.attnum) from pg_catalog.pg_type t
        join pg_catalog.pg_attribute a on a.attrelid operator(pg_catalog.=) t.typrelid
        where t.oid operator(pg_catalog.=) p.prorettype and a.attnum operator(pg_catalog.>) 0 and not a.attisdropped),
      'set', p.proretset,
      'text', case when p.prosqlbody is null then p.prosrc end, 'atomic', pg_catalog.pg_get_function_sqlbody(p.oid)))
    from reached r join pg_catalog.pg_proc p on p.oid operator(pg_catalog.=) r.oid
      join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) p.pronamespace
      join pg_catalog.pg_language l on l.oid operator(pg_catalog.=) p.prolang
    where r.class operator(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid
      and p.oid operator(pg_catalog.>=) 16384::pg_catalog.oid
      and l.lanname operator(pg_catalog.<>) all (array['c', 'internal']::pg_catalog.name[])
      and n.nspname operator(pg_catalog.<>) all (array['pg_catalog', 'trailhound']::pg_catalog.name[])))::pg_catalog.text`;

/** How often text bodies may name further functions: beyond it what is left is not planned. */
const MAX_ROUNDS = 5;

/** What the views and functions that a statement names are made of, as its session sees them. */
export async function askDefinitions(node: Node, catalog: Catalog, backend: ClientBackend): Promise<Definitions> {
  const ours = catalog.views.map(({ oid }) => String(oid));
  let names = namesIn(node);
  for (let round = 1; ; round += 1) {
    const parameters = new ParameterList([], []);
    parameters.addTextArray([...names.relations]);
    parameters.addTextArray([...names.functions]);
    parameters.addTextArray(ours);
    const { rows } = await backend.query({
      text: DEFINITIONS_SQL,
      parameterTypes: parameters.types,
      parameters: parameters.values,
    });
    const definitions = definitionsIn(JSON.parse(rows[0]?.[0] ?? 'null') as Answer, catalog);
    // Dependencies of a body that is text stand nowhere.
    const texts = [...definitions.functions.values()].flat().flatMap(({ body }) => (body === undefined ? [] : [body]));
    const before = names.relations.size + names.functions.size;
    for (const body of texts) {
      const inner = namesIn({ SelectStmt: body });
      names = {
        relations: new Set([...names.relations, ...inner.relations]),
        functions: new Set([...names.functions, ...inner.functions]),
      };
    }
    if (names.relations.size + names.functions.size === before || round === MAX_ROUNDS) return definitions;
  }
}

function namesIn(node: Node): { readonly relations: ReadonlySet<string>; readonly functions: ReadonlySet<string> } {
  const relations = new Set<string>();
  walk(node, (inner, kind) => {
    const rangeVar = kind === 'RangeVar' ? bare(inner, 'RangeVar') : undefined;
    if (rangeVar?.relname !== undefined) relations.add(relationName(rangeVar));
    const refreshed = kind === 'RefreshMatViewStmt' ? bare(inner, 'RefreshMatViewStmt')?.relation : undefined;
    if (refreshed?.relname !== undefined) relations.add(relationName(refreshed));
    return undefined;
  });
  return { relations, functions: new Set(functionNames(node)) };
}

function definitionsIn(answer: Answer | null, catalog: Catalog): Definitions {
  const relations = new Map<string, NamedRelation>();
  for (const row of answer?.relations ?? []) {
    const relation: NamedRelation = {
      oid: row.oid,
      kind: catalog.viewByOid(row.oid) !== undefined ? 'virtual' : viewKind(row.kind),
      schema: row.schema,
      name: row.name,
      own: row.own,
      invoker: row.invoker,
      secured: row.secured,
      readable: row.readable,
      query: row.definition === null ? undefined : queryOf(row.definition),
    };
    relations.set(`${quoteIdent(row.schema)}.${quoteIdent(row.name)}`, relation);
    if (row.temporary) relations.set(`"pg_temp".${quoteIdent(row.name)}`, relation);
    if (row.visible) relations.set(quoteIdent(row.name), relation);
  }
  const functions = new Map<string, CalledFunction[]>();
  for (const row of answer?.functions ?? []) {
    const known = functions.get(row.name) ?? [];
    functions.set(row.name, [...known, functionOf(row)]);
  }
  return { relations, functions };
}

function viewKind(kind: string): NamedRelation['kind'] {
  return kind === 'v' ? 'view' : kind === 'm' ? 'materialized view' : 'table';
}

function functionOf(row: FunctionRow): CalledFunction {
  const { oid, schema, name, visible, alone, own, definer, executable, set } = row;
  const modes = row.modes ?? row.types.map(() => 'i');
  const named = (wanted: readonly string[]): readonly string[] =>
    (row.names ?? []).filter((_name, index) => wanted.includes(modes[index] ?? 'i'));
  const inputNames = named(['i', 'b', 'v']);
  const inputs = row.types.map((type, index) => {
    const own = inputNames[index] ?? '';
    return { type, name: own === '' ? `$${String(index + 1)}` : own };
  });
  const outputs = named(['o', 'b', 't']);
  // What a strict function gives for NULL is not what its query gives.
  const plain = row.language === 'sql' && row.kind === 'f' && !row.variadic && row.defaults === 0 && !row.strict;
  // A text body with a search_path of its own means other things by its names; an atomic one is printed for this one.
  const query =
    row.atomic !== null ? atomicQuery(row.atomic) : row.configured || row.text === null ? undefined : queryOf(row.text);
  return {
    oid,
    schema,
    name,
    visible,
    alone,
    own,
    definer,
    executable,
    set,
    inputs,
    columns: outputs.length > 0 ? outputs : (row.attributes ?? undefined),
    body: plain ? query : undefined,
    textual: row.atomic === null,
  };
}

/** `RETURN x` is `select x`; of `BEGIN ATOMIC … END` only a single query is read. */
function atomicQuery(printed: string): SelectStmt | undefined {
  const statement = parseStatements(`create function f() ${printed}`)?.[0]?.node;
  const body = bare(statement, 'CreateFunctionStmt')?.sql_body;
  const value = bare(body, 'ReturnStmt')?.returnval;
  if (value !== undefined) return selectOf(value);
  const [only, ...more] = (bare(body, 'List')?.items ?? []).flatMap((list) => bare(list, 'List')?.items ?? []);
  return more.length > 0 ? undefined : bare(only, 'SelectStmt');
}

/** The only statement of a text, where it is a query. */
function queryOf(text: string): SelectStmt | undefined {
  const statements = parseStatements(text);
  const query = statements?.length === 1 ? bare(statements[0]?.node, 'SelectStmt') : undefined;
  return query?.intoClause === undefined ? query : undefined;
}
