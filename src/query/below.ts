import type { Node } from '@pgsql/types';
import type { Catalog } from '../catalog/table.ts';
import { functionNames } from '../planner/dependencies.ts';
import { expandDefinitions, type Definitions } from '../planner/definitions.ts';
import { relationName } from '../planner/statement.ts';
import { parseKept } from '../sql/parse.ts';
import { bare, walk, withoutLocations } from '../sql/walk.ts';
import type { ClientBackend } from './backend.ts';
import { askDefinitions } from './definitions.ts';
import type { Dependents } from './dependents.ts';
import type { AskedNames } from './facts.ts';
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
  dependents: Dependents,
  backend: ClientBackend,
): Promise<Below> {
  const node = parseKept(text);
  const definitions = await askDefinitions(node, catalog, backend);
  const { storing } = traces;
  const source = storing ? storedQuery(node, definitions) : classified.query;
  const expanded =
    source === undefined
      ? undefined
      : expandDefinitions(source, {
          definitions,
          leads: (oid, name) => dependents.hasOid(oid) || dependents.has(name),
          // Since PostgreSQL 17 materialized views are filled with a search_path of their own.
          textBodies: !storing,
        });
  // A trigger on what is written to.
  const written = traces.written.some((name) => dependents.has(name)) && !storing;
  const special = traces.declared?.plain === false;
  const query = expanded === undefined || expanded.opaque || written || special ? undefined : expanded.query;
  const inner = query === undefined ? { relations: [], functions: [] } : namesIn(query);
  return {
    query,
    views: relations.filter((name) => definitions.relations.get(name)?.kind === 'view'),
    asked: {
      relations: [...new Set([...relations, ...inner.relations])],
      functions: [...new Set([...functions, ...inner.functions])],
    },
    unplanned: special ? SPECIAL_CURSOR : expanded?.unplanned,
  };
}

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
