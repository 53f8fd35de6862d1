import type { Tape } from '../tape.ts';
import type { Argument } from './generated.ts';

/** What a column can be compared with. */
export type Type = 'inet' | 'text' | 'int' | 'bool' | 'json' | 'inet[]' | 'text[]';
export type Scalar = Exclude<Type, 'json' | 'inet[]' | 'text[]'>;
export type KeyType = 'inet' | 'text';

export interface Column {
  readonly name: string;
  readonly type: Type;
}

/** The keys that a look-up may be asked for at most, as one statement over the plain tables that is not complete yet. */
export interface Keys {
  readonly table: string;
  /** Gives them in a column of texts; undefined where the generator cannot say. */
  readonly query: string | undefined;
  /** Items of levels around it whose columns the query names. */
  readonly uses: ReadonlySet<Item>;
  /** The item of the level that is asked, or in which it stands. */
  readonly of?: Item | undefined;
}

/** A part of a statement. */
export interface Piece {
  readonly text: string;
  readonly uses: ReadonlySet<Item>;
  /** Computed without a look-up and alike each time: a key query has no reason to leave it out. */
  readonly local: boolean;
  /** Of the look-ups inside. */
  readonly keys: readonly Keys[];
}

export interface Expression extends Piece {
  readonly type: Type;
}

/** An entry of FROM. */
export interface Item extends Piece {
  readonly alias: string;
  readonly columns: readonly Column[];
  readonly need?: Need | undefined;
  /** Rows that are chosen by LIMIT and the like. */
  readonly once?: boolean | undefined;
  /** A view or a function, whose rows are never computed before the statement. */
  readonly defined?: boolean | undefined;
}

/** A column without whose values a look-up inside cannot be asked. */
export interface Need {
  readonly column: string;
  readonly type: KeyType;
  readonly tables: readonly string[];
  /** Something else says what it equals, too: keys may come from there. */
  readonly twice?: boolean | undefined;
  /** An outer join may have put NULLs in its place. */
  readonly nullable?: boolean | undefined;
}

export interface Query extends Piece {
  readonly columns: readonly Column[];
  /** Its first column is the one that must be bounded from outside. */
  readonly need?: Need | undefined;
  readonly once?: boolean | undefined;
}

/** What an expression can name. */
export interface Scope {
  readonly items: readonly Item[];
  /** Of enclosing levels, nearest first. */
  readonly outer: readonly Item[];
}

/** One statement in the making. */
export interface Making {
  readonly tape: Tape;
  readonly values: Argument[];
  readonly shapes: Set<string>;
  readonly ctes: Cte[];
  /** What is made before the statement, and what takes it back, in the order in which it was made. */
  readonly before: string[];
  readonly afterwards: string[];
  /** No condition that is surely false, no LIMIT 0: one look-up is to stay without keys. */
  readonly unbounded: boolean;
  /** The first look-up of the statement's own level that may stay without keys. */
  left: boolean;
  /** A construction of which nobody can say whether it is bounded. */
  doubtful: boolean;
  names: number;
}

export interface Cte {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly need: Need | undefined;
  readonly local: boolean;
  mentions: number;
}

export const NOTHING: ReadonlySet<Item> = new Set();

export function piece(text: string, parts: readonly Piece[] = []): Piece {
  return {
    text,
    uses: new Set(parts.flatMap((part) => [...part.uses])),
    local: parts.every((part) => part.local),
    keys: parts.flatMap((part) => part.keys),
  };
}

export function expression(text: string, type: Type, parts: readonly Piece[] = []): Expression {
  return { ...piece(text, parts), type };
}

export function columnOf(item: Item, column: Column): Expression {
  return { text: `${item.alias}.${column.name}`, type: column.type, uses: new Set([item]), local: true, keys: [] };
}

export function nameIn(making: Making, prefix: string): string {
  making.names += 1;
  return `${prefix}${String(making.names)}`;
}

export function shape(making: Making, name: string): void {
  making.shapes.add(name);
}
