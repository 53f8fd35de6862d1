import type { JoinExpr, JoinType, Node } from '@pgsql/types';
import type { Item, Level } from '../sql/scope.ts';
import { bare } from '../sql/walk.ts';
import { conjunctsOf, functionNames } from './dependencies.ts';
import { isAggregated } from './grouping.ts';
import { leavesOf, reducedJoinTypes } from './joins.ts';
import { and } from './nodes.ts';
import { isUsable, type Kept } from './pruning.ts';
import type { Statement } from './statement.ts';

/** FROM entries, and the items in them. */
export interface Remaining {
  readonly nodes: readonly Node[];
  readonly items: ReadonlySet<Item>;
}

/**
 * A level's FROM entries as far as they can be read, where each of their rows is in one row of all entries at least, and
 * none of them is too many: what is left out is joined to them by an outer join, or always has a row.
 *
 * @returns undefined where there are no such entries
 */
export function remainingOf(within: Kept, statement: Statement): Remaining | undefined {
  const search = new Search(within, statement, reducedJoinTypes(within.level, statement));
  let found: Remaining = NOTHING;
  for (const node of within.level.select.fromClause ?? []) {
    const own = search.of(node, found);
    if (own === undefined) return undefined;
    found = both(found, own);
  }
  return found.nodes.length === 0 ? undefined : found;
}

const NOTHING: Remaining = { nodes: [], items: new Set() };

function both(one: Remaining, two: Remaining): Remaining {
  return { nodes: [...one.nodes, ...two.nodes], items: new Set([...one.items, ...two.items]) };
}

class Search {
  readonly #within: Kept;
  readonly #statement: Statement;
  readonly #types: ReadonlyMap<JoinExpr, JoinType>;

  constructor(within: Kept, statement: Statement, types: ReadonlyMap<JoinExpr, JoinType>) {
    this.#within = within;
    this.#statement = statement;
    this.#types = types;
  }

  /** @param left what LATERAL sees */
  of(node: Node, left: Remaining): Remaining | undefined {
    const join = bare(node, 'JoinExpr');
    if (join?.larg === undefined || join.rarg === undefined) return this.#leaf(node, left);
    const type = this.#types.get(join);
    const one = this.of(join.larg, left);
    const two = this.of(join.rarg, one === undefined ? left : both(left, one));
    const whole = one && two && this.#joined(node, join, one, two);
    switch (type) {
      case 'JOIN_INNER':
        return whole;
      case 'JOIN_LEFT':
        return whole ?? one;
      case 'JOIN_RIGHT':
        return whole ?? two;
      default:
        return whole?.nodes[0] === node ? whole : undefined;
    }
  }

  #leaf(node: Node, left: Remaining): Remaining | undefined {
    const { level, readable } = this.#within;
    const [item] = leavesOf(node, level);
    if (item === undefined) return undefined;
    if (readable(item) && this.#isUsable(node, left)) return { nodes: [node], items: new Set([item]) };
    return item.subquery !== undefined && hasOneRow(item.subquery, this.#statement) ? NOTHING : undefined;
  }

  /** Both sides and the whole condition. */
  #joined(node: Node, join: JoinExpr, own: Remaining, other: Remaining): Remaining | undefined {
    const found = both(own, other);
    if (!conjunctsOf(join.quals).every((qual) => this.#isUsable(qual, found))) return undefined;
    const [larg, rarg] = [own.nodes[0], other.nodes[0]];
    if (larg === join.larg && rarg === join.rarg) return { ...found, nodes: [node] };
    const type = this.#types.get(join);
    // Without its partner a merged column would change its meaning, and an outer join says of no row whether it counts.
    if (join.isNatural === true || (join.usingClause ?? []).length > 0 || join.alias !== undefined) return undefined;
    if (larg === undefined || rarg === undefined)
      return type === 'JOIN_INNER' && join.quals === undefined ? found : undefined;
    const { quals } = join;
    const rest: JoinExpr = {
      jointype: type ?? 'JOIN_INNER',
      larg,
      rarg,
      ...(quals === undefined ? {} : { quals: and(conjunctsOf(quals)) }),
    };
    return { ...found, nodes: [{ JoinExpr: rest }] };
  }

  #isUsable(value: unknown, { nodes, items }: Remaining): boolean {
    return isUsable(value, { ...this.#within, nodes, items }, this.#statement);
  }
}

/** An aggregate without GROUP BY has one row, whatever it reads. */
function hasOneRow(level: Level, statement: Statement): boolean {
  const { select, branches } = level;
  const { groupClause = [], havingClause, limitCount, limitOffset, targetList } = select;
  if (branches.length > 0 || groupClause.length > 0 || havingClause !== undefined) return false;
  if (limitCount !== undefined || limitOffset !== undefined || !isAggregated(level, statement)) return false;
  return !functionNames(targetList).some((name) => statement.functions.setReturning.has(name));
}
