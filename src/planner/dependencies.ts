import type { ColumnRef, JoinExpr, Node } from '@pgsql/types';
import { outward } from '../sql/names.ts';
import type { Item, Level } from '../sql/scope.ts';
import { bare, walk } from '../sql/walk.ts';
import { dependsOnOrder } from './row-order.ts';
import type { Reference, Statement } from './statement.ts';

/** What must be known before an expression of a level can be computed. */
export interface Dependencies {
  /** Items of the level itself and of levels around it. */
  readonly items: ReadonlySet<Item>;
  /** Columns read, by item; an item that is absent here but in `items` is read whole. */
  readonly columns: ReadonlyMap<Item, ReadonlySet<string>>;
  /** Joins that must stand as they are, because the expression names columns by what they make of them. */
  readonly joins: ReadonlySet<JoinExpr>;
  /** Virtual tables read inside subqueries of the expression. */
  readonly references: ReadonlySet<Reference>;
  /** Levels of which an aggregate is part of it: it has a value for a group of their rows, and none for a single one. */
  readonly aggregates: ReadonlySet<Level>;
  /** A window function of the level is part of it: its value depends on the other rows. */
  readonly windows: boolean;
  /** Computing it twice may give two answers: a volatile function, a LIMIT without a total order. Or it is not understood. */
  readonly unrepeatable: boolean;
}

export function dependenciesOf(value: unknown, level: Level, statement: Statement): Dependencies {
  const around = new Set<Level>();
  for (let at: Level | undefined = level; at !== undefined; at = outward(at)) around.add(at);
  const items = new Set<Item>();
  const columns = new Map<Item, Set<string>>();
  const joins = new Set<JoinExpr>();
  const unresolved: ColumnRef[] = [];
  // What a CTE names of levels around it is named wherever it is read.
  const all = [value, ...[...statement.ctesIn(value)].map((cte) => cte.node)];
  walk(all, (node, kind) => {
    const column = kind === 'ColumnRef' ? bare(node, 'ColumnRef') : undefined;
    if (column === undefined || !statement.scopes.levelOf.has(column)) return undefined;
    const meaning = statement.names.resolve(column);
    const open = meaning.kind === 'unknown' ? openItemsOf(meaning.level, statement) : [];
    if (meaning.kind === 'unknown' && open.length === 0 && !statement.mayNameOutput(column)) unresolved.push(column);
    const read = meaning.kind === 'column' ? [meaning.item] : meaning.kind === 'row' ? meaning.items : open;
    for (const item of read.filter(({ level: at }) => around.has(at))) {
      items.add(item);
      const known = columns.get(item) ?? new Set();
      columns.set(item, known.add(meaning.kind === 'column' ? meaning.name : '*'));
      if (meaning.kind !== 'unknown') for (const join of meaning.joins) joins.add(join);
    }
    return undefined;
  });
  return {
    items,
    columns,
    joins,
    references: statement.referencesIn(value),
    aggregates: new Set(all.flatMap((part) => [...aggregatesOf(part, level, statement).values()])),
    windows: hasWindow(value),
    unrepeatable: unresolved.length > 0 || all.some((part) => isUnrepeatable(part, statement)),
  };
}

function isUnrepeatable(value: unknown, statement: Statement): boolean {
  return (
    readsPadded(value, statement) ||
    statement.readsUnstable(value) ||
    callsVolatile(value, statement) ||
    dependsOnOrder(value, statement) ||
    statement.levelsIn(value).some((inner) => isEvaluatedOnce(inner, statement))
  );
}

/**
 * The aggregates of a level, or of levels around it, in an expression of it. An aggregate belongs to the nearest level
 * whose columns it reads; one of no columns to the level that it stands in.
 */
export function aggregatesOf(value: unknown, level: Level, statement: Statement): ReadonlyMap<Node, Level> {
  const around: Level[] = [];
  for (let at: Level | undefined = level; at !== undefined; at = outward(at)) around.push(at);
  const found = new Map<Node, Level>();
  const visit = (part: unknown, isBelow: boolean): void => {
    walk(part, (node, kind) => {
      if (kind === 'SelectStmt' && !isBelow) {
        visit((node as { SelectStmt: unknown }).SelectStmt, true);
        return false;
      }
      if (!isAggregate(node, statement)) return undefined;
      const named = columnsIn(node).flatMap((column) => {
        if (!statement.scopes.levelOf.has(column)) return [];
        const meaning = statement.names.resolve(column);
        if (meaning.kind === 'unknown') return [meaning.level];
        return meaning.kind === 'column' ? [meaning.item.level] : meaning.items.map((item) => item.level);
      });
      // Columns of a subquery in its argument are the subquery's own.
      const inArgument = new Set(statement.levelsIn(node));
      const read = named.filter((each) => !inArgument.has(each));
      if (!read.every((each) => around.includes(each))) return undefined;
      const nearest = around.find((each) => read.includes(each)) ?? (isBelow ? undefined : level);
      if (nearest !== undefined) found.set(node, nearest);
      return undefined;
    });
  };
  visit(value, false);
  return found;
}

function isAggregate(node: Node, statement: Statement): boolean {
  const called = bare(node, 'FuncCall');
  const name = bare(called?.funcname?.at(-1), 'String')?.sval;
  if ('GroupingFunc' in node) return true;
  return called?.over === undefined && name !== undefined && statement.functions.aggregate.has(name);
}

function columnsIn(value: unknown): ColumnRef[] {
  const found: ColumnRef[] = [];
  walk(value, (node, kind) => {
    const column = kind === 'ColumnRef' ? bare(node, 'ColumnRef') : undefined;
    if (column !== undefined) found.push(column);
    return undefined;
  });
  return found;
}

/** Those of a level whose columns are not known here; rows that RETURNING shows are no part of its FROM. */
function openItemsOf(level: Level, statement: Statement): readonly Item[] {
  return statement.scopes.items.filter((item) => item.level === level && statement.names.columnsOf(item).open);
}

/** Rows that are not a function of the level's inputs: it must be evaluated once, never again for a key query. */
export function isEvaluatedOnce(level: Level, statement: Statement): boolean {
  const { select } = level;
  if (isLimitedToNone(level)) return false;
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
  return callsVolatile(own, statement) || dependsOnOrder(own, statement) || hasWindow(own);
}

/** LIMIT 0, which leaves no rows to choose from. */
export function isLimitedToNone({ select }: Level): boolean {
  const count = bare(select.limitCount, 'A_Const')?.ival;
  // In PostgreSQL's tree 0 is left out.
  return count !== undefined && (count.ival ?? 0) === 0;
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

export function callsVolatile(value: unknown, statement: Statement): boolean {
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
