import type { ColumnRef, Node, SelectStmt, SortBy } from '@pgsql/types';
import { TrailhoundError } from '../kernel/errors.ts';
import { deparse } from '../sql/deparse.ts';
import { isStar } from '../sql/column-name.ts';
import { fieldsOf, type Item, type Level } from '../sql/scope.ts';
import { bare } from '../sql/walk.ts';
import { conjunctsOf } from './dependencies.ts';
import { limitOf, type Limit } from './limits.ts';
import { and, castTo, columnOf, integer, operation, replaced, text } from './nodes.ts';
import { inside, isRowByRow, passesEach, readerOf } from './passing.ts';
import { isUsable, type Kept } from './pruning.ts';
import { remainingOf } from './remaining-rows.ts';
import { isSame } from './sites.ts';
import type { Statement } from './statement.ts';

/**
 * The rows of a level that ORDER BY and LIMIT may let through, before anything is joined to them that leaves none of them
 * out: `order by o.at desc limit 20`. What is computed for the rows that come out needs keys of these alone.
 */
export interface TopRows extends Kept {
  readonly where: readonly Node[];
  /** As far as it is known by now: further columns only choose among rows that tie. */
  readonly sort: readonly SortBy[];
  readonly limit: Limit;
}

/**
 * Unlike what else is kept of a level for a key query these must be no more rows than the statement's: others would come
 * first.
 *
 * @param item what keys are computed for where that stands in FROM; else it stands in the target list or in ORDER BY
 */
export function topRowsOf(within: Kept, item: Item | undefined, statement: Statement): TopRows | undefined {
  const cut = cutOf(within.level, statement);
  const remaining = cut && remainingOf(within, statement);
  if (cut === undefined || remaining === undefined || (item !== undefined && remaining.items.has(item)))
    return undefined;
  const kept: Kept = { ...within, ...remaining, grouped: false };
  if (!cut.where.every((node) => isUsable(node, kept, statement))) return undefined;
  const known = cut.sort.findIndex(({ node }) => !isUsable(node, kept, statement));
  const sort = known === -1 ? cut.sort : cut.sort.slice(0, known);
  return sort.length === 0 ? undefined : { ...kept, ...cut, sort };
}

/** How rows of a level are chosen, by itself or by a level that does nothing else with them than read them. */
type Cut = Pick<TopRows, 'where' | 'sort' | 'limit'>;

function cutOf(level: Level, statement: Statement): Cut | undefined {
  const where = conjunctsOf(level.select.whereClause);
  if (isSortedAndCut(level, statement)) {
    const limit = limitOf(level, statement);
    return limit && { where, limit, sort: sortOf(level, statement) };
  }
  const isDistinct = (level.select.distinctClause ?? []).length > 0;
  const reader = !isDistinct && passesEach(level, statement) ? readerOf(level) : undefined;
  const [only, ...others] = reader?.level.select.fromClause ?? [];
  const around = only === reader?.node && others.length === 0 ? reader && cutOf(reader.level, statement) : undefined;
  if (around === undefined || reader === undefined) return undefined;
  const own = (node: Node | undefined): Node | undefined => node && inside(node, reader, level, statement);
  const beyond = around.where.map(own);
  if (!beyond.every((node) => node !== undefined)) return undefined;
  const sort = around.sort.map(({ node, ...by }) => ({ ...by, node: own(node) }));
  return { where: [...where, ...beyond], limit: around.limit, sort: untilUnknown(sort) };
}

function sortOf(level: Level, statement: Statement): readonly SortBy[] {
  const sort = (level.select.sortClause ?? []).map((node) => {
    const { node: value, ...by } = bare(node, 'SortBy') ?? {};
    const isKnown = value !== undefined && by.sortby_dir !== 'SORTBY_USING';
    return { ...by, node: isKnown ? sortedBy(value, level, statement) : undefined };
  });
  return untilUnknown(sort);
}

/** Rows that the first columns leave in a tie stay together. */
function untilUnknown(sort: readonly (Omit<SortBy, 'node'> & { node: Node | undefined })[]): readonly SortBy[] {
  const end = sort.findIndex(({ node }) => node === undefined);
  return (end === -1 ? sort : sort.slice(0, end)).flatMap(({ node, ...by }) =>
    node === undefined ? [] : [{ ...by, node }],
  );
}

/** Each of its rows comes out as one row, and nothing else than ORDER BY says which come first. */
function isSortedAndCut(level: Level, statement: Statement): boolean {
  const { sortClause = [], distinctClause = [], limitCount } = level.select;
  if (sortClause.length === 0 || distinctClause.length > 0 || limitCount === undefined) return false;
  return isRowByRow(level, statement);
}

/** What ORDER BY means: ordinals and names of output columns come before FROM's. */
function sortedBy(node: Node, level: Level, statement: Statement): Node | undefined {
  const { names, open } = statement.names.outputs(level);
  const ordinal = bare(node, 'A_Const')?.ival?.ival;
  const column = bare(node, 'ColumnRef');
  const fields = column === undefined ? [] : fieldsOf(column);
  if (ordinal === undefined && fields.length !== 1) return node;
  if (open) return undefined;
  const index = ordinal === undefined ? names.indexOf(fields[0] ?? '') : ordinal - 1;
  return index === -1 ? node : outputAt(index, level, statement);
}

function outputAt(index: number, level: Level, statement: Statement): Node | undefined {
  const { targetList = [] } = level.select;
  const values = targetList.map((target) => bare(target, 'ResTarget')?.val);
  if (!values.some(isStar)) return values[index];
  const through = statement.names.passedThrough(level)[index];
  return through && statement.columnOf(through.item, through.name, level);
}

/**
 * A query over a level's rows with the first of them in their place, as a derived table with the columns that the query
 * names.
 *
 * @returns undefined where it names what these rows do not have
 */
export function overTopRows(
  query: SelectStmt,
  top: TopRows,
  others: ReadonlySet<Item>,
  statement: Statement,
): SelectStmt | undefined {
  const { level } = top;
  const alias = `trailhound_top_${String(statement.scopes.levels.indexOf(level))}`;
  const columns: Node[] = [];
  const lost = new Set<ColumnRef>();
  const over = replaced(query, (node) => {
    const column = bare(node, 'ColumnRef');
    if (column === undefined || !statement.scopes.levelOf.has(column)) return undefined;
    const own = columnIn(column, top, others, statement);
    if (own === 'other') return undefined;
    if (own === 'lost') {
      lost.add(column);
      return undefined;
    }
    let index = columns.findIndex((each) => isSame(each, own, statement));
    if (index === -1) index = columns.push(own) - 1;
    return columnOf(alias, `c${String(index + 1)}`);
  });
  if (lost.size > 0) return undefined;
  const values = [...columns, ...top.sort.flatMap(({ node }) => node ?? [])];
  const rows: SelectStmt = {
    targetList: values.map((val) => ({ ResTarget: { val } })),
    fromClause: [...top.nodes],
    ...(top.where.length === 0 ? {} : { whereClause: and(top.where) }),
    // By ordinals, since a constant may be sorted by as an output column alone.
    sortClause: top.sort.map((by, index) => ({
      SortBy: { ...by, node: integer(columns.length + index + 1) },
    })),
    limitCount: countOf(top.limit),
    limitOption: 'LIMIT_OPTION_WITH_TIES',
    op: 'SETOP_NONE',
  };
  if (!isWritable(rows)) return undefined;
  const colnames = values.map((_value, index) => ({ String: { sval: `c${String(index + 1)}` } }));
  const from = { lateral: true, subquery: { SelectStmt: rows }, alias: { aliasname: alias, colnames } };
  return { ...over, fromClause: [{ RangeSubselect: from }, ...(over.fromClause ?? [])] };
}

/** Where only its order is not, keys of all rows still are. */
function isWritable(query: SelectStmt): boolean {
  try {
    deparse({ SelectStmt: query });
    return true;
  } catch (error) {
    if (error instanceof TrailhoundError && error.code === 'not_supported') return false;
    throw error;
  }
}

/** A column of these rows; `lost`: one of the level's that they do not have; `other`: none of the level's. */
function columnIn(
  column: ColumnRef,
  top: TopRows,
  others: ReadonlySet<Item>,
  statement: Statement,
): Node | 'lost' | 'other' {
  const { level, items } = top;
  const meaning = statement.names.resolve(column);
  if (meaning.kind === 'unknown') return meaning.level === level ? 'lost' : 'other';
  const named = meaning.kind === 'column' ? [meaning.item] : meaning.items;
  if (!named.some((item) => items.has(item) || others.has(item))) return 'other';
  if (meaning.kind !== 'column' || !isUsable({ ColumnRef: column }, top, statement)) return 'lost';
  const isHere = statement.scopes.levelOf.get(column) === level;
  return statement.columnOf(meaning.item, meaning.name, level) ?? (isHere ? { ColumnRef: column } : 'lost');
}

/** As many as LIMIT and OFFSET take together; NULL is none of either. */
function countOf({ count, offset }: Limit): Node {
  const [rows, skipped] = [count, offset].map((bound) => bare(bound, 'A_Const')?.ival);
  if (rows !== undefined && (offset === undefined || skipped !== undefined)) {
    return integer((rows.ival ?? 0) + (skipped?.ival ?? 0));
  }
  const bound = (value: Node | undefined, otherwise: Node): Node =>
    castTo(value === undefined ? otherwise : { CoalesceExpr: { args: [castTo(value, 'int8'), otherwise] } }, 'numeric');
  const sum = operation(bound(count, MOST), '+', bound(offset, castTo(integer(0), 'int8')));
  return castTo({ MinMaxExpr: { op: 'IS_LEAST', args: [sum, castTo(MOST, 'numeric')] } }, 'int8');
}

/** 2^63 - 1, the most that LIMIT takes. */
const MOST = castTo(text('9223372036854775807'), 'int8');
