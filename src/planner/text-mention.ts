import type { Node, RangeVar } from '@pgsql/types';
import type { Item, Level } from '../sql/scope.ts';
import { bare } from '../sql/walk.ts';

/**
 * Where the user's text names the view or the function in FROM below which an item stands, in bytes. Undefined where no
 * condition could be written beside it: what an expression calls, and what MERGE reads its rows from, whose ON decides
 * nothing where there are none.
 */
export function textMentionOf(item: Item, targets: ReadonlySet<RangeVar>): number | undefined {
  for (let level: Level | undefined = item.level; level !== undefined; level = level.parent) {
    const { place } = level;
    if (place.kind === 'sublink' && place.node.location !== undefined) return undefined;
    if (place.kind !== 'from') continue;
    const location = locationOf(place.item.node);
    if (location !== undefined) return isMerge(place.item.level, targets) ? undefined : location;
  }
  return undefined;
}

/** What a subquery in the place of a name says of that. PostgreSQL's own tree does not locate subqueries in FROM. */
interface Mention {
  /** In bytes. */
  readonly location?: number;
  /** Of a view: its name as the text has it. */
  readonly name_location?: RangeVar;
}

/** Where the mention of a view stands in the user's text, if it does: subqueries around it are found by what they hold. */
export function mentioned(view: RangeVar): Mention {
  const { location } = view;
  return location === undefined ? {} : { location, name_location: { ...view } };
}

/** The view for which a subquery stands that the text names. */
export function viewIn(node: Node): RangeVar | undefined {
  return (bare(node, 'RangeSubselect') as Mention | undefined)?.name_location;
}

function locationOf(node: Node): number | undefined {
  return (bare(node, 'RangeSubselect') as Mention | undefined)?.location;
}

/**
 * Whether PostgreSQL keeps whole rows of what stands beside rows that are changed or locked, for EvalPlanQual: a scan
 * below is asked for every column then.
 */
export function isReadWhole(item: Item, targets: ReadonlySet<RangeVar>): boolean {
  for (let level: Level | undefined = item.level; level !== undefined; level = level.parent) {
    const isChanged = level.items.some(({ rangeVar }) => rangeVar !== undefined && targets.has(rangeVar));
    if (isChanged || (level.select.lockingClause ?? []).length > 0) return true;
  }
  return false;
}

function isMerge({ items, select }: Level, targets: ReadonlySet<RangeVar>): boolean {
  const [first = {}] = select.fromClause ?? [];
  return 'JoinExpr' in first && items.some(({ rangeVar }) => rangeVar !== undefined && targets.has(rangeVar));
}
