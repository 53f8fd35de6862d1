import type { JoinExpr, Node, SelectStmt, SortBy } from '@pgsql/types';
import type { Column } from '../catalog/table.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import type { Order } from '../sources/source.ts';
import { deparse } from '../sql/deparse.ts';
import { fieldsOf, type Item, type Level } from '../sql/scope.ts';
import { bare } from '../sql/walk.ts';
import { conjunctsOf, dependenciesOf, functionNames, hasWindow } from './dependencies.ts';
import { withCtes } from './key-query.ts';
import { leavesOf } from './joins.ts';
import { limitOf, passesRows, type Limit } from './limits.ts';
import { and, call, castTo, integer, operation, text } from './nodes.ts';
import { readerOf } from './passing.ts';
import type { Reference, Statement } from './statement.ts';

/**
 * A level that is sorted by a column of a scan, and cut: `order by e.event_time desc limit 20`. Rows that come after so
 * many of those that count are not needed, but for ties with the last of them.
 */
export interface FirstRows {
  readonly order: Order;
  readonly limit: Limit;
  /**
   * Gives what the rows that count have in the column, in the order, as text: a number, or milliseconds since the epoch.
   * More of the scan's rows only add to it.
   */
  readonly query: string;
  /** What is joined to the scan's rows leaves none of them out, and is needed for the first ones alone. */
  readonly joined: boolean;
}

/** Types whose order is the same everywhere: texts have collations. */
const ORDERED: ReadonlySet<string> = new Set(['integer', 'bigint', 'timestamp with time zone']);

/** A column of the scan's table, by the name that an item or a level has for it. */
type ColumnOf = (name: string) => Column | undefined;

export function firstRowsOf(reference: Reference, statement: Statement): FirstRows | undefined {
  const { view } = reference;
  if (reference.below) return undefined;
  let { item } = reference;
  const { names } = statement.names.columnsOf(item);
  let columnOf: ColumnOf = (name) => view.columns[names.indexOf(name)]?.column;
  for (;;) {
    const { level } = item;
    if ((level.select.sortClause ?? []).length > 0) return sortedBy(item, columnOf, reference, statement);
    const next = passesAll(level, statement) ? readerOf(level) : undefined;
    if (next === undefined) return undefined;
    const [own, inner] = [item, columnOf];
    const through = statement.names.passedThrough(level);
    const outside = statement.names.columnsOf(next).names;
    columnOf = (name) => {
      const passed = through[outside.indexOf(name)];
      return passed?.item === own ? inner(passed.name) : undefined;
    };
    item = next;
  }
}

function passesAll(level: Level, statement: Statement): boolean {
  const { limitCount, limitOffset } = level.select;
  const isCut = limitCount !== undefined || limitOffset !== undefined;
  return !isCut && level.branches.length === 0 && passesRows(level, statement);
}

function sortedBy(item: Item, columnOf: ColumnOf, reference: Reference, statement: Statement): FirstRows | undefined {
  const { level } = item;
  const { select } = level;
  const sort = bare(select.sortClause?.[0], 'SortBy');
  const name = sort && sortColumn(sort, item, statement);
  const column = name === undefined ? undefined : columnOf(name);
  const limit = limitOf(level, statement);
  const order = sort && column && orderBy(sort, column);
  if (name === undefined || order === undefined || limit?.count === undefined) return undefined;
  if (!isOneForOne(level, statement) || !isKept(item)) return undefined;
  const value = statement.columnOf(item, name, level);
  if (sort === undefined || value === undefined) return undefined;
  const sorted: Sorted = { value: textOf(value, order.column), by: { SortBy: { ...sort, node: value } } };
  const query = queryOf(item, sorted, reference, statement);
  return query === undefined ? undefined : { order, limit, query, joined: level.items.length > 1 };
}

/** The column of the item that a level is sorted by; names of output columns come before FROM's. */
function sortColumn({ node }: SortBy, item: Item, statement: Statement): string | undefined {
  const { level } = item;
  const through = statement.names.passedThrough(level);
  const at = (index: number): string | undefined => (through[index]?.item === item ? through[index].name : undefined);
  const ordinal = bare(node, 'A_Const')?.ival?.ival;
  const { names, open } = statement.names.outputs(level);
  if (ordinal !== undefined) return open ? undefined : at(ordinal - 1);
  const column = bare(node, 'ColumnRef');
  if (column === undefined) return undefined;
  const fields = fieldsOf(column);
  if (fields.length === 1 && open) return undefined;
  const outputs = fields.length > 1 ? [] : names.flatMap((each, index) => (each === fields[0] ? [index] : []));
  if (outputs.length > 0) {
    const [first, ...others] = outputs.map(at);
    return others.every((each) => each === first) ? first : undefined;
  }
  const meaning = statement.names.resolve(column);
  return meaning.kind === 'column' && meaning.item === item ? meaning.name : undefined;
}

function orderBy({ sortby_dir, sortby_nulls }: SortBy, column: Column): Order | undefined {
  if (column.path === undefined || !ORDERED.has(column.type) || sortby_dir === 'SORTBY_USING') return undefined;
  const direction = sortby_dir === 'SORTBY_DESC' ? 'desc' : 'asc';
  switch (sortby_nulls ?? 'SORTBY_NULLS_DEFAULT') {
    case 'SORTBY_NULLS_FIRST':
      return { column, direction, nulls: 'first' };
    case 'SORTBY_NULLS_LAST':
      return { column, direction, nulls: 'last' };
    case 'SORTBY_NULLS_DEFAULT':
      return { column, direction, nulls: direction === 'desc' ? 'first' : 'last' };
  }
}

/** Whether each of a level's rows becomes one row of its result. */
function isOneForOne({ select }: Level, { functions }: Statement): boolean {
  const { targetList, sortClause } = select;
  const lists = [select.groupClause, select.distinctClause, select.windowClause, select.lockingClause];
  if (select.havingClause !== undefined || lists.some((list) => (list ?? []).length > 0)) return false;
  const computed = [targetList, sortClause];
  const changes = (name: string): boolean => functions.aggregate.has(name) || functions.setReturning.has(name);
  return !hasWindow(computed) && !functionNames(computed).some(changes);
}

/** Every row of it is in the level's rows, whatever is joined to it. */
function isKept(item: Item): boolean {
  const [from, ...others] = item.level.select.fromClause ?? [];
  const keeps = (node: Node): boolean => {
    if (node === item.node) return true;
    const join: JoinExpr | undefined = bare(node, 'JoinExpr');
    if (join?.larg === undefined || join.rarg === undefined) return false;
    if (join.jointype === 'JOIN_LEFT') return keeps(join.larg);
    return join.jointype === 'JOIN_RIGHT' && leavesOf(join.rarg, item.level).includes(item) && keeps(join.rarg);
  };
  return from !== undefined && others.length === 0 && keeps(from);
}

interface Sorted {
  readonly value: Node;
  readonly by: Node;
}

/** Undefined where something else than the scan decides which of its rows count, or may decide otherwise later. */
function queryOf(item: Item, { value, by }: Sorted, reference: Reference, statement: Statement): string | undefined {
  const { level } = item;
  const conditions = conjunctsOf(level.select.whereClause);
  const { items, aggregates, unrepeatable } = dependenciesOf([item.node, conditions], level, statement);
  const others = [...statement.referencesIn([item.node, conditions])].filter((each) => each !== reference);
  if ([...items].some((each) => each !== item) || others.length > 0 || aggregates.size > 0 || unrepeatable)
    return undefined;
  const query = withCtes(
    {
      targetList: [{ ResTarget: { val: value } }],
      fromClause: [item.node],
      ...(conditions.length === 0 ? {} : { whereClause: and(conditions) }),
      sortClause: [by],
      limitOption: 'LIMIT_OPTION_DEFAULT',
      op: 'SETOP_NONE',
    },
    statement,
    () => true,
  );
  if (query === undefined || statement.readsOrdinaryRelations(query) || statement.readsUnstable(query))
    return undefined;
  return writtenDown(query);
}

function writtenDown(query: SelectStmt): string | undefined {
  try {
    return deparse({ SelectStmt: query });
  } catch (error) {
    // All of the scan's rows are as right as the first ones.
    if (error instanceof TrailhoundError && error.code === 'not_supported') return undefined;
    throw error;
  }
}

function textOf(value: Node, { type }: Column): Node {
  return castTo(type === 'timestamp with time zone' ? milliseconds(value) : value, 'text');
}

function milliseconds(value: Node): Node {
  return operation(call('extract', [text('epoch'), value]), '*', integer(1000));
}
