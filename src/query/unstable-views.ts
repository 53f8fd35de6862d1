import type { Node } from '@pgsql/types';
import { dependenciesOf, functionNames } from '../planner/dependencies.ts';
import { Statement, type FunctionFacts } from '../planner/statement.ts';
import { parseStatements } from '../sql/parse.ts';
import { bare } from '../sql/walk.ts';
import type { ClientBackend } from './backend.ts';
import { ParameterList } from './parameters.ts';

/** Each view with its own definition and those of the views that it reads. */
const DEFINITIONS_SQL = `with recursive named(name, oid) as (
  select n.name, pg_catalog.to_regclass(n.name)::pg_catalog.oid from pg_catalog.unnest($1::pg_catalog.text[]) as n(name)
  union
  select v.name, d.refobjid from named v
    join pg_catalog.pg_rewrite r on r.ev_class operator(pg_catalog.=) v.oid
    join pg_catalog.pg_depend d on d.objid operator(pg_catalog.=) r.oid
      and d.classid operator(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass::pg_catalog.oid
      and d.refclassid operator(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
    join pg_catalog.pg_class c on c.oid operator(pg_catalog.=) d.refobjid and c.relkind operator(pg_catalog.=) 'v')
select v.name, pg_catalog.pg_get_viewdef(v.oid) from named v`;

const VOLATILE_SQL = `select p.proname from pg_catalog.pg_proc p
  where p.proname operator(pg_catalog.=) any ($1::pg_catalog.text[]) and p.provolatile operator(pg_catalog.=) 'v'`;

/**
 * Which of the views may give other rows each time they are read: a LIMIT, a window, a volatile function in them.
 * Keys must not be read from such a view, because the statement reads it once more.
 */
export async function unstableViews(names: readonly string[], backend: ClientBackend): Promise<ReadonlySet<string>> {
  if (names.length === 0) return new Set();
  const found = await rowsOf(DEFINITIONS_SQL, names, backend);
  const views = found.map(([name, definition]) => ({
    name: name ?? '',
    node: parseStatements(definition ?? '')?.[0]?.node,
  }));
  const called = views.flatMap(({ node }) => functionNames(node));
  const volatile = new Set((await rowsOf(VOLATILE_SQL, called, backend)).map(([name]) => name ?? ''));
  const none: ReadonlySet<string> = new Set();
  const functions = { volatile, aggregate: none, setReturning: none, strict: none, ownEquality: true };
  return new Set(views.filter(({ node }) => node === undefined || isUnstable(node, functions)).map(({ name }) => name));
}

function isUnstable(node: Node | undefined, functions: FunctionFacts): boolean {
  if (node === undefined || bare(node, 'SelectStmt') === undefined) return true;
  const statement = new Statement(node, new Map(), functions);
  return dependenciesOf(statement.node, statement.scopes.root, statement).unrepeatable;
}

async function rowsOf(
  text: string,
  names: readonly string[],
  backend: ClientBackend,
): Promise<readonly (readonly (string | null)[])[]> {
  const parameters = new ParameterList([], []);
  parameters.addTextArray(names);
  const { rows } = await backend.query({ text, parameterTypes: parameters.types, parameters: parameters.values });
  return rows;
}
