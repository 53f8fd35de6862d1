import type { JoinExpr, Node, SelectStmt } from '@pgsql/types';
import { outward } from '../sql/names.ts';
import type { Clause, Item, Level, Place } from '../sql/scope.ts';
import { bare } from '../sql/walk.ts';
import { conjunctsOf, dependenciesOf } from './dependencies.ts';
import { hasGroupingSets, isAggregated, isPerRow } from './grouping.ts';
import { conditionsAround } from './passing.ts';
import { isUsable, keep, type Kept } from './pruning.ts';
import type { Statement } from './statement.ts';
import { surroundingsOf, type Condition } from './surroundings.ts';
import { topRowsOf, type TopRows } from './top-rows.ts';

/** Where in a level something is computed: for the rows of an item's surroundings, or in an expression. */
export type Standpoint =
  | {
      readonly kind: 'item';
      readonly item: Item;
      /** FROM entries that an outer join may leave out, and that keys are computed from all the same. */
      readonly optional?: ReadonlySet<Node>;
    }
  | { readonly kind: 'expression'; readonly clause: Clause | undefined };

/** A level as a key query has it. */
export interface Frame extends Kept {
  readonly outer: Frame | undefined;
  /** Those that can be computed from what is kept, the site's own column aside. */
  readonly conditions: readonly Condition[];
  /** All of its rows that are needed, where its LIMIT says so. */
  readonly top: TopRows | undefined;
}

/**
 * How many keys are too many. `patient`: more than there would be once other tables have been asked; `none`: more than
 * the conditions that can be computed now leave; `widened`: keys of a level's rows without its LIMIT are better than none.
 */
export type Haste = 'patient' | 'none' | 'widened';

/** What can be computed now. */
export interface Reading {
  readonly statement: Statement;
  /** Whether an item's rows can be read now: hydrated, evaluated, or ordinary. */
  readonly readable: (item: Item) => boolean;
  readonly haste: Haste;
}

/** The frame of a level, or of one around it. */
export function frameAt(frame: Frame | undefined, level: Level): Frame | undefined {
  return frame === undefined || frame.level === level ? frame : frameAt(frame.outer, level);
}

/** The frame of a level with those around it; levels with a known frame have that. */
export function frameOf(level: Level, standpoint: Standpoint, reading: Reading, known?: Frame): Frame {
  const next = outward(level);
  const placed = next === undefined ? undefined : placeIn(level, next, reading.statement);
  const outer = next && (frameAt(known, next) ?? (placed && frameOf(next, placed, reading, known)));
  const { statement, readable } = reading;
  const own = standpoint.kind === 'item' ? standpoint.item : undefined;
  const { groupClause } = level.select;
  const { pieces, conditions } =
    standpoint.kind === 'item' ? ofItem(standpoint, statement) : ofExpression(level, standpoint.clause, statement);
  const kept = keep(pieces, { level, readable, outer }, (item) => item !== own && readable(item), statement);
  const visible = [...conditions, ...conditionsOf(kept.filters)].filter((entry) => isVisible(entry, level, statement));
  const overGroups =
    standpoint.kind === 'expression' && standpoint.clause?.kind === 'other' && isAggregated(level, statement);
  // An aggregate is a function of all of its rows.
  const whole =
    pieces.every((piece, index) => kept.nodes[index] === piece) &&
    [...conditions.map(({ node }) => node), groupClause].every((part) => isUsable(part, kept, statement));
  // A NULL that a grouping set gives is in no row before.
  const lost = overGroups && !whole && hasGroupingSets(level);
  return {
    ...kept,
    ...(lost ? { items: new Set<Item>() } : {}),
    outer,
    conditions: visible,
    grouped: overGroups && whole,
    top: isOfOutput(standpoint) ? topRowsOf(kept, own, statement) : undefined,
  };
}

/** Whether nothing depends on it but the rows that come out: not which of them do. */
function isOfOutput(standpoint: Standpoint): boolean {
  return standpoint.kind === 'item' || standpoint.clause?.kind === 'other';
}

/** How a level stands in the level whose columns it names: as a LATERAL item, or in an expression. */
function placeIn(level: Level, outer: Level, statement: Statement): Standpoint | undefined {
  for (let at: Level | undefined = level; at !== undefined; at = at.parent) {
    if (at.parent !== outer) continue;
    if (at.place.kind === 'from') return { kind: 'item', item: at.place.item };
    if (at.place.kind === 'sublink') return inSublink(at.place, outer, statement);
    return at.place.kind === 'branch' ? { kind: 'expression', clause: undefined } : undefined;
  }
  return undefined;
}

/** A subquery in an argument of an aggregate, or in GROUP BY, is computed for each row. */
export function inSublink(place: Extract<Place, { kind: 'sublink' }>, level: Level, statement: Statement): Standpoint {
  const { clause, node } = place;
  const perRow = clause.kind === 'other' && isPerRow(node, level, statement);
  return { kind: 'expression', clause: perRow ? { kind: 'where' } : clause };
}

/** The rows beside an item. */
function ofItem(
  { item, optional }: Extract<Standpoint, { kind: 'item' }>,
  statement: Statement,
): { readonly pieces: readonly Node[]; readonly conditions: readonly Condition[] } {
  const found = surroundingsOf(item, statement);
  const isWanted = (entry: Node | undefined): boolean => entry === undefined || optional?.has(entry) === true;
  const around = conditionsAround(item.level, statement).map((node): Condition => ({ node, ...found.inWhere }));
  return {
    pieces: found.pieces.filter((piece) => isWanted(found.optional.get(piece))),
    conditions: [...found.conditions, ...around],
  };
}

/** The rows for which an expression of a level is computed. */
function ofExpression(
  level: Level,
  clause: Clause | undefined,
  statement: Statement,
): { readonly pieces: readonly Node[]; readonly conditions: readonly Condition[] } {
  const { fromClause = [], whereClause } = level.select;
  if (clause?.kind === 'on' && !fromClause.some((node) => isInnerDownTo(clause.join, node))) {
    // WHERE says nothing of what ON asks under an outer join: its rows may be the ones that do not match.
    const { larg, rarg, quals } = clause.join;
    return { pieces: [larg, rarg].flatMap((side) => side ?? []), conditions: conditionsOf(conjunctsOf(quals)) };
  }
  const conditions = [...conjunctsOf(whereClause), ...conditionsAround(level, statement)];
  return { pieces: fromClause, conditions: conditionsOf(conditions) };
}

function isInnerDownTo(wanted: JoinExpr, node: Node): boolean {
  const join = bare(node, 'JoinExpr');
  if (join?.jointype !== 'JOIN_INNER') return false;
  return join === wanted || [join.larg, join.rarg].some((side) => side !== undefined && isInnerDownTo(wanted, side));
}

function conditionsOf(nodes: readonly Node[]): Condition[] {
  const none = new Set<Item>();
  return nodes.map((node) => ({ node, seesItem: true, hidden: none }));
}

function isVisible(entry: Condition, level: Level, statement: Statement): boolean {
  return [...dependenciesOf(entry.node, level, statement).items].every((item) => !entry.hidden.has(item));
}

/** Whether a query placed in a frame's level names columns of levels around that. */
export function namesOutside(query: SelectStmt, level: Level, statement: Statement): boolean {
  const { items, aggregates } = dependenciesOf({ SelectStmt: query }, level, statement);
  return [...items].some((item) => item.level !== level) || [...aggregates].some((each) => each !== level);
}
