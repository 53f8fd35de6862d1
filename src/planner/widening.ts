import type { ColumnRef, Node } from '@pgsql/types';
import type { Item, Level } from '../sql/scope.ts';
import { bare } from '../sql/walk.ts';
import { dependenciesOf } from './dependencies.ts';
import { isExpressionOnly, sourceOf, type KeySource } from './key-source.ts';
import { replaced } from './nodes.ts';
import type { Statement } from './statement.ts';

/**
 * Where the values of a source come from, one level further in: the rows of a derived table, CTE or subquery before its
 * LIMIT, its windows, DISTINCT ON and what else cannot be computed twice. More keys than needed.
 *
 * @returns undefined where the source does not carry a column of one of them unchanged
 */
export function widened(source: KeySource, statement: Statement): readonly KeySource[] | undefined {
  const { query, level } = source;
  if (source.guarded) return undefined;
  if (!isExpressionOnly(query)) return membersOf(statement.levelOf(query), 0, statement);
  const value = bare(query.targetList?.[0], 'ResTarget')?.val;
  if (value === undefined) return undefined;
  const sublink = bare(value, 'SubLink');
  if (sublink?.subLinkType === 'EXPR_SUBLINK')
    return membersOf(statement.levelOf(bare(sublink.subselect, 'SelectStmt')), 0, statement);
  const { items, references } = dependenciesOf(value, level, statement);
  const [item, ...others] = items;
  if (item === undefined || others.length > 0 || references.size > 0) return undefined;
  return throughItem(value, item, statement);
}

/** The values of an expression over the columns of one item. */
function throughItem(value: Node, item: Item, statement: Statement): readonly KeySource[] | undefined {
  const inner = item.cte?.recursive === true ? undefined : (item.subquery ?? item.cte?.level);
  const found = inner && leaves(inner, inner.select.op).map((level) => inLevel(value, item, level, statement));
  return found?.every((source) => source !== undefined) === true ? found : undefined;
}

function inLevel(value: Node, item: Item, level: Level, statement: Statement): KeySource | undefined {
  const unknown = new Set<ColumnRef>();
  const own = replaced(value, (node) => {
    const column = bare(node, 'ColumnRef');
    if (column === undefined) return undefined;
    const index = indexOf(column, item, statement);
    const target = index === -1 ? undefined : targetOf(level, index, statement);
    if (target === undefined) unknown.add(column);
    return target;
  });
  return unknown.size === 0 ? sourceOf(own, level) : undefined;
}

function indexOf(column: ColumnRef, item: Item, statement: Statement): number {
  const meaning = statement.names.resolve(column);
  if (meaning.kind !== 'column' || meaning.item !== item) return -1;
  return statement.names.columnsOf(item).names.indexOf(meaning.name);
}

/** The values of a subquery's column. */
function membersOf(level: Level | undefined, index: number, statement: Statement): readonly KeySource[] | undefined {
  if (level === undefined) return undefined;
  const found = leaves(level, level.select.op).map((each) => {
    const target = targetOf(each, index, statement);
    return target && sourceOf(target, each);
  });
  return found.every((source) => source !== undefined) ? found : undefined;
}

/** The SELECTs whose rows are those of a set operation, and maybe more. */
function leaves(level: Level, op: Level['select']['op']): readonly Level[] {
  const [left, right] = level.branches;
  if (left === undefined || right === undefined) return [level];
  const both = op === 'SETOP_UNION' ? [left, right] : [left];
  return both.flatMap((branch) => leaves(branch, branch.select.op));
}

function targetOf(level: Level, index: number, statement: Statement): Node | undefined {
  const targets = level.select.targetList ?? [];
  const { names, open } = statement.names.outputs(level);
  if (open || level.select.valuesLists !== undefined) return undefined;
  if (names.length === targets.length) {
    const value = bare(targets[index], 'ResTarget')?.val;
    const column = bare(value, 'ColumnRef');
    if (column?.fields?.some((field) => 'A_Star' in field) !== true) return value;
  }
  const through = statement.names.passedThrough(level)[index];
  return through && statement.columnOf(through.item, through.name, level);
}
