import type { Node } from '@pgsql/types';
import type { Catalog } from '../catalog/table.ts';
import { functionNames } from '../planner/dependencies.ts';
import { RUNS_TEXT, type Definitions } from '../planner/definitions.ts';
import { expandDefinitions } from '../planner/expand-definitions.ts';
import { relationName } from '../planner/relation-facts.ts';
import { modificationOf } from '../sql/modification.ts';
import { parseKept } from '../sql/parse.ts';
import { bare, walk, withoutLocations } from '../sql/walk.ts';
import type { ClientBackend } from './backend.ts';
import { askDefinitions } from './definitions.ts';
import type { Dependents } from './dependents.ts';
import type { AskedNames } from './facts.ts';
import { askLeading, type Leading } from './leading.ts';
import type { Reading } from './plan-cache.ts';

/** A statement that leads to virtual tables through views, functions, or a query that it stores. */
export interface Below {
  /** For planning alone, with definitions in the place of names; undefined where something is not planned. */
  readonly query: Node | undefined;
  /** Users' views that the statement's own text names. */
  readonly views: readonly string[];
  /** Names whose facts planning needs, the statement's own among them. */
  readonly asked: Pick<AskedNames, 'relations' | 'functions'>;
  readonly unplanned: string | undefined;
}

/** Whether a statement names something of a user's that leads to virtual tables. */
export function leadsBelow({ unqualified, functions, traces }: Reading, dependents: Dependents): boolean {
  const own = [...unqualified, ...functions, ...traces.written];
  return own.some((name) => dependents.has(name)) || traces.block;
}

function storedQuery(node: Node, definitions: Definitions): Node | undefined {
  const created = bare(node, 'CreateTableAsStmt');
  if (created?.objtype === 'OBJECT_MATVIEW' && created.into?.skipData !== true) {
    // Nothing of it is replaced in the text.
    return created.query !== undefined && 'SelectStmt' in created.query ? withoutLocations(created.query) : undefined;
  }
  const refreshed = bare(node, 'RefreshMatViewStmt');
  if (refreshed?.relation === undefined || refreshed.skipData === true) return undefined;
  const relation = definitions.relations.get(relationName(refreshed.relation));
  // It is filled with its owner's rights, and keys are computed with the current role's.
  return relation?.query === undefined || !relation.own ? undefined : withoutLocations({ SelectStmt: relation.query });
}

export async function prepareBelow(
  text: string,
  { classified, relations, functions, traces }: Reading,
  catalog: Catalog,
  backend: ClientBackend,
): Promise<Below> {
  const node = parseKept(text);
  // What is known of other statements may be some seconds old, and what it misses would be served these rows.
  const [definitions, leading] = await Promise.all([
    askDefinitions(node, catalog, backend),
    askLeading(catalog, backend),
  ]);
  const { storing } = traces;
  const source = storing ? storedQuery(node, definitions) : classified.query;
  const expanded =
    source === undefined
      ? undefined
      : expandDefinitions(source, {
          definitions,
          leads: (oid, name) => leading.oids.has(String(oid)) || leading.names.has(name.toLowerCase()),
          // Since PostgreSQL 17 materialized views are filled with a search_path of their own.
          textBodies: !storing,
        });
  const unplanned =
    (traces.declared?.plain === false ? SPECIAL_CURSOR : undefined) ??
    expanded?.unplanned ??
    (expanded === undefined ? undefined : unseenBy(expanded.query, leading));
  const query = expanded?.opaque === true || unplanned !== undefined ? undefined : expanded?.query;
  const inner = query === undefined ? { relations: [], functions: [] } : namesIn(query);
  return {
    query,
    views: relations.filter((name) => definitions.relations.get(name)?.kind === 'view'),
    asked: {
      relations: [...new Set([...relations, ...inner.relations])],
      functions: [...new Set([...functions, ...inner.functions])],
    },
    unplanned,
  };
}

/** What may scan virtual tables while the statement runs and stands nowhere in it: a sentence. */
function unseenBy(query: Node, { names, hidden, triggered }: Leading): string | undefined {
  if (hidden) return HIDDEN;
  if (triggered && writesIn(query)) return TRIGGERED;
  const called = functionNames(query).find((name) => RUNS_TEXT.has(name) || names.has(name.toLowerCase()));
  return called === undefined
    ? undefined
    : `Function ${called} may read virtual tables, and its text does not say which values it needs: write what it reads in the statement.`;
}

function writesIn(query: Node): boolean {
  const found: Node[] = [];
  walk(query, (node) => {
    if (modificationOf(node) !== undefined) found.push(node);
    return undefined;
  });
  return found.length > 0;
}

const HIDDEN =
  'A function that may read virtual tables stands behind an operator, a cast, a type, a constraint, a default or an index: ' +
  'no statement says whether it calls it, and only virtual tables that it names itself are planned.';
const TRIGGERED =
  'A trigger or a rule may read virtual tables: put the rows into a temporary table first, and write from there.';
const SPECIAL_CURSOR =
  'A cursor that is BINARY or WITH HOLD is not planned below views and functions: keep the rows in a temporary table.';

function namesIn(query: Node): Below['asked'] {
  const relations = new Set<string>();
  walk(query, (node, kind) => {
    const rangeVar = kind === 'RangeVar' ? bare(node, 'RangeVar') : undefined;
    if (rangeVar?.relname !== undefined) relations.add(relationName(rangeVar));
    return undefined;
  });
  return { relations: [...relations], functions: functionNames(query) };
}
