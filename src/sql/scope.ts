import type { ColumnRef, CommonTableExpr, JoinExpr, Node, RangeVar, SelectStmt, SubLink } from '@pgsql/types';
import { bare } from './walk.ts';

/**
 * One SELECT (or set operation) of a statement: what can be named in it, and where it stands. What INSERT, UPDATE, DELETE
 * and MERGE read is a level too, and so is INSERT's query; neither has a parent.
 */
export interface Level {
  readonly select: SelectStmt;
  /** The level that encloses it in the text. */
  readonly parent: Level | undefined;
  readonly place: Place;
  /** The leaves of FROM, left to right. Empty for a set operation. */
  readonly items: readonly Item[];
  /** The two sides of a set operation. */
  readonly branches: readonly Level[];
  readonly ctes: readonly Cte[];
}

export type Place =
  | { readonly kind: 'statement' }
  | { readonly kind: 'from'; readonly item: Item; readonly lateral: boolean }
  | { readonly kind: 'sublink'; readonly node: SubLink; readonly clause: Clause }
  | { readonly kind: 'cte'; readonly cte: Cte }
  | { readonly kind: 'branch' };

/** Where in its level an expression stands. */
export type Clause =
  | { readonly kind: 'where' }
  | { readonly kind: 'on'; readonly join: JoinExpr }
  /** In an item of FROM itself: a function's argument. */
  | { readonly kind: 'from'; readonly item: Item }
  | ChangedClause
  | { readonly kind: 'other' };

/** RETURNING, and ON CONFLICT … DO UPDATE: rows that exist only once the statement runs. */
export interface ChangedClause {
  readonly kind: 'changed';
  /** What the target's name means here; undefined: the row as it was. */
  readonly target: Item | undefined;
  /** What the target's name means elsewhere in the statement. */
  readonly instead: Item | undefined;
  /** `old`, `new`, `excluded`: their columns are always qualified. */
  readonly others: readonly Item[];
}

export interface Cte {
  readonly name: string;
  readonly node: CommonTableExpr;
  /** Undefined for INSERT, UPDATE, DELETE, MERGE … RETURNING. */
  readonly level: Level | undefined;
  readonly recursive: boolean;
  readonly references: readonly Item[];
}

export interface Item {
  readonly level: Level;
  /** The wrapped node in FROM: RangeVar, RangeSubselect, RangeFunction, … */
  readonly node: Node;
  /** `changed`: a row of the target of INSERT, UPDATE, DELETE or MERGE that no query can read before it runs. */
  readonly kind: 'relation' | 'cte' | 'subquery' | 'changed' | 'other';
  /** How columns of it are qualified. */
  readonly name: string | undefined;
  readonly rangeVar: RangeVar | undefined;
  readonly cte: Cte | undefined;
  readonly subquery: Level | undefined;
}

export interface Scopes {
  readonly root: Level;
  /** Outermost first. */
  readonly levels: readonly Level[];
  readonly items: readonly Item[];
  /** What INSERT, UPDATE, DELETE and MERGE change. */
  readonly targets: ReadonlySet<RangeVar>;
  /** The level in which a column is named. */
  readonly levelOf: Map<ColumnRef, Level>;
  /** Where in its level a column is named. */
  readonly clauseOf: Map<ColumnRef, Clause>;
}

/** Whether a level is another one or stands inside of it. */
export function isWithin(level: Level, outer: Level): boolean {
  for (let at: Level | undefined = level; at !== undefined; at = at.parent) if (at === outer) return true;
  return false;
}

/** The fields of a column reference as text; `*` for a star. */
export function fieldsOf(column: ColumnRef): readonly string[] {
  return (column.fields ?? []).map((field) => ('A_Star' in field ? '*' : (bare(field, 'String')?.sval ?? '')));
}
