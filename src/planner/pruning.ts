import type { JoinExpr, Node } from '@pgsql/types';
import type { Item, Level } from '../sql/scope.ts';
import { bare, walk } from '../sql/walk.ts';
import { conjunctsOf, dependenciesOf, type Dependencies } from './dependencies.ts';
import { leavesOf } from './joins.ts';
import { and } from './nodes.ts';
import type { Statement } from './statement.ts';

/**
 * A FROM entry without the items that cannot be read yet: a superset of its rows as far as the remaining columns go.
 * Undefined where nothing sound remains.
 */
export function prune(
  node: Node,
  level: Level,
  readable: (item: Item) => boolean,
  statement: Statement,
): Node | undefined {
  const join = bare(node, 'JoinExpr');
  if (join?.larg === undefined || join.rarg === undefined) {
    const [item] = leavesOf(node, level);
    return item !== undefined && readable(item) ? node : undefined;
  }
  const left = prune(join.larg, level, readable, statement);
  const right = prune(join.rarg, level, readable, statement);
  const whole = left === join.larg && right === join.rarg;
  const sides = [left, right].flatMap((side) => side ?? []);
  const kept = { nodes: sides, items: new Set(sides.flatMap((side) => leavesOf(side, level))), readable };
  const usable = conjunctsOf(join.quals).filter((qual) => isUsable(qual, level, kept, statement));
  const allUsable = usable.length === conjunctsOf(join.quals).length;
  if (whole && allUsable) return node;
  switch (join.jointype) {
    case 'JOIN_LEFT':
      // The right side's columns are gone; keeping rows that no longer match as they should would be wrong.
      return left;
    case 'JOIN_RIGHT':
      return right;
    case 'JOIN_INNER': {
      if (left === undefined || right === undefined) return left ?? right;
      // Without its partner a merged column would change its meaning.
      if (join.isNatural || (join.usingClause ?? []).length > 0) return undefined;
      const quals = usable.length === 0 ? undefined : and(usable);
      return {
        JoinExpr: { jointype: 'JOIN_INNER', larg: left, rarg: right, ...(quals === undefined ? {} : { quals }) },
      };
    }
    default:
      return undefined;
  }
}

/** What is kept of FROM in a key query. */
export interface Kept {
  readonly nodes: readonly Node[];
  readonly items: ReadonlySet<Item>;
  /** Whether an item's rows can be read now: of what subqueries name. */
  readonly readable: (item: Item) => boolean;
}

/** Whether an expression can be computed from what is kept of FROM, with the same answer each time. */
export function isUsable(value: unknown, level: Level, kept: Kept, statement: Statement): boolean {
  const needs = dependenciesOf(value, level, statement);
  return (
    !needs.unrepeatable &&
    !needs.aggregates &&
    [...needs.items].every((item) => item.level !== level || kept.items.has(item)) &&
    [...needs.references].every((reference) => reference.item.level === level || kept.readable(reference.item)) &&
    [...statement.ctesIn(value)].every((cte) => cte.level !== undefined) &&
    stand(needs, level, kept.nodes)
  );
}

/** Whether the joins of a level that an expression names columns by are whole in what is kept of FROM. */
export function stand(needs: Dependencies, level: Level, kept: readonly Node[]): boolean {
  if (needs.joins.size === 0) return true;
  const [own, whole] = [joinsIn(level.select.fromClause ?? []), joinsIn(kept)];
  return [...needs.joins].every((join) => !own.has(join) || whole.has(join));
}

function joinsIn(nodes: readonly Node[]): Set<JoinExpr> {
  const found = new Set<JoinExpr>();
  walk(nodes, (node, kind) => {
    if (kind === 'SelectStmt') return false;
    const join = kind === 'JoinExpr' ? bare(node, 'JoinExpr') : undefined;
    if (join !== undefined) found.add(join);
    return undefined;
  });
  return found;
}
