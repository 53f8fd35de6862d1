import type { FuncCall, SelectStmt } from '@pgsql/types';
import { bare, walk } from '../sql/walk.ts';
import { relationName } from './relation-facts.ts';

/** What the client's backend said of a relation that a statement leads to. */
export interface NamedRelation {
  readonly oid: number;
  /** `virtual`: one of our own views, which are known. */
  readonly kind: 'virtual' | 'view' | 'materialized view' | 'table';
  /** With its schema. */
  readonly schema: string;
  readonly name: string;
  /** The current role owns it. */
  readonly own: boolean;
  /** A view that reads with the rights of whoever uses it. */
  readonly invoker: boolean;
  /** It has row security. */
  readonly secured: boolean;
  /** The current role may select from all of it. */
  readonly readable: boolean;
  /** Of a view: undefined where it could not be read. */
  readonly query: SelectStmt | undefined;
}

export interface CalledFunction {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly visible: boolean;
  /** No other function has its name. */
  readonly alone: boolean;
  readonly own: boolean;
  readonly definer: boolean;
  readonly executable: boolean;
  readonly set: boolean;
  readonly inputs: readonly { readonly name: string; readonly type: string }[];
  /** Names of its columns; undefined: one, which has the function's own name. */
  readonly columns: readonly string[] | undefined;
  /** Its only query; undefined where it is not written in SQL, or does what no query in its place would do. */
  readonly body: SelectStmt | undefined;
  /** Its body is text, whose names are looked up when it runs. */
  readonly textual: boolean;
}

/** The views and functions that a statement names, and all that they lead to. */
export interface Definitions {
  /** By name as relationName() writes it, with and without a schema. */
  readonly relations: ReadonlyMap<string, NamedRelation>;
  /** By name without a schema. */
  readonly functions: ReadonlyMap<string, readonly CalledFunction[]>;
}

/** Functions of PostgreSQL and its extensions that run a statement which they are given as text. */
export const RUNS_TEXT: ReadonlySet<string> = new Set([
  ...['query', 'table', 'schema', 'database', 'cursor'].flatMap((what) =>
    ['xml', 'xmlschema', 'xml_and_xmlschema'].map((form) => `${what}_to_${form}`),
  ),
  ...['ts_stat', 'ts_rewrite', 'crosstab', 'crosstab2', 'crosstab3', 'crosstab4', 'connectby', 'xpath_table'],
]);

/** Those of its name that a call may mean. */
export function candidatesOf(call: FuncCall, { functions }: Definitions): readonly CalledFunction[] {
  const [name = '', schema] = (call.funcname ?? []).map((part) => bare(part, 'String')?.sval ?? '').reverse();
  const all = functions.get(name) ?? [];
  return all.filter((each) => (schema === undefined ? each.visible : each.schema === schema));
}

/** The relations that a query names, CTEs' names taken for relations where there are such: one too many does no harm. */
export function partsOf(query: SelectStmt, { relations }: Definitions): readonly NamedRelation[] {
  const found = new Set<NamedRelation>();
  walk(query, (node, kind) => {
    const rangeVar = kind === 'RangeVar' ? bare(node, 'RangeVar') : undefined;
    const relation = rangeVar && relations.get(relationName(rangeVar));
    if (relation !== undefined) found.add(relation);
    return undefined;
  });
  return [...found];
}
