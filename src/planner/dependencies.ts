import type { Node } from '@pgsql/types';
import { outward } from '../sql/names.ts';
import type { Item, Level } from '../sql/scope.ts';
import { bare, walk } from '../sql/walk.ts';
import type { Reference, Statement } from './statement.ts';

/** What must be known before an expression of a level can be computed. */
export interface Dependencies {
  /** Items of the level itself and of levels around it. */
  readonly items: ReadonlySet<Item>;
  /** Columns read, by item; an item that is absent here but in `items` is read whole. */
  readonly columns: ReadonlyMap<Item, ReadonlySet<string>>;
  /** Virtual tables read inside subqueries of the expression. */
  readonly references: ReadonlySet<Reference>;
  /** Computing it twice may give two answers: a volatile function, a LIMIT without a total order. */
  readonly unrepeatable: boolean;
}

export function dependenciesOf(value: unknown, level: Level, statement: Statement): Dependencies {
  const around = new Set<Level>();
  for (let at: Level | undefined = level; at !== undefined; at = outward(at)) around.add(at);
  const items = new Set<Item>();
  const columns = new Map<Item, Set<string>>();
  walk(value, (node, kind) => {
    const column = kind === 'ColumnRef' ? bare(node, 'ColumnRef') : undefined;
    if (column === undefined || !statement.scopes.levelOf.has(column)) return undefined;
    const meaning = statement.names.resolve(column);
    if (meaning.kind === 'column') {
      if (!around.has(meaning.item.level)) return undefined;
      items.add(meaning.item);
      const known = columns.get(meaning.item) ?? new Set();
      columns.set(meaning.item, known.add(meaning.name));
      return undefined;
    }
    const whole =
      meaning.kind === 'row'
        ? meaning.items
        : meaning.level.items.filter((item) => statement.names.columnsOf(item).open);
    for (const item of whole) {
      if (!around.has(item.level)) continue;
      items.add(item);
      columns.set(item, new Set(['*']));
    }
    return undefined;
  });
  return {
    items,
    columns,
    references: statement.referencesIn(value),
    unrepeatable:
      readsPadded(value, statement) ||
      callsVolatile(value, statement) ||
      statement.levelsIn(value).some((inner) => isEvaluatedOnce(inner, statement)),
  };
}

/** Rows that are not a function of the level's inputs: it must be evaluated once, never again for a key query. */
export function isEvaluatedOnce(level: Level, statement: Statement): boolean {
  const { select } = level;
  if (select.limitCount !== undefined || select.limitOffset !== undefined) return true;
  // DISTINCT is a list of one empty node, DISTINCT ON of expressions.
  if ((select.distinctClause ?? []).some((node) => Object.keys(node).length > 0)) return true;
  if ((select.lockingClause ?? []).length > 0) return true;
  if (level.items.some((item) => 'RangeTableSample' in item.node)) return true;
  const own = [
    select.targetList,
    select.whereClause,
    select.havingClause,
    select.fromClause,
    select.sortClause,
    select.groupClause,
  ];
  return callsVolatile(own, statement) || hasWindow(own);
}

/** Whether a part of the tree calls a window function, subqueries left out. */
export function hasWindow(value: unknown): boolean {
  let found = false;
  walk(value, (node, kind) => {
    if (kind === 'SelectStmt') return false;
    if (kind === 'FuncCall' && bare(node, 'FuncCall')?.over !== undefined) found = true;
    return undefined;
  });
  return found;
}

function readsPadded(value: unknown, statement: Statement): boolean {
  let found = false;
  if (statement.padded.size > 0) {
    walk(value, (node, kind) => {
      const sublink = kind === 'SubLink' ? bare(node, 'SubLink') : undefined;
      if (sublink !== undefined && statement.padded.has(sublink)) found = true;
      return undefined;
    });
  }
  return found;
}

function callsVolatile(value: unknown, statement: Statement): boolean {
  return functionNames(value).some((name) => statement.functions.volatile.has(name));
}

/** The unqualified names of the functions that a part of the tree calls. */
export function functionNames(value: unknown): string[] {
  const names: string[] = [];
  walk(value, (node, kind) => {
    const call = kind === 'FuncCall' ? bare(node, 'FuncCall') : undefined;
    const name = bare(call?.funcname?.at(-1), 'String')?.sval;
    if (name !== undefined) names.push(name);
    return undefined;
  });
  return names;
}

/** The conjuncts of a condition. */
export function conjunctsOf(node: Node | undefined): readonly Node[] {
  if (node === undefined) return [];
  const and = bare(node, 'BoolExpr');
  return and?.boolop === 'AND_EXPR' ? (and.args ?? []).flatMap((argument) => conjunctsOf(argument)) : [node];
}
