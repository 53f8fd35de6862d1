import type { Exactness } from '../../source.ts';
import type { AssumedTexts } from './assumed-texts.ts';

/** Alternatives, any of which will do, for a record at `$`, or at `$.detail` within an EventBridge envelope. */
export type Condition = (root: string) => readonly string[];

export interface PatternPredicate {
  readonly condition: Condition;
  readonly exactness: Exactness;
  /** A pattern takes two regular expressions: one condition, for both forms of a record. */
  readonly isRegex?: boolean | undefined;
  /** Another regular expression leaves out more records. */
  readonly isCoarse?: boolean | undefined;
  /** Fields of which it is relied upon that CloudTrail writes texts. */
  readonly assumes?: AssumedTexts | undefined;
  /** What ILIKE says of every record that it finds: by a field's path, the patterns one of which its value matches. */
  readonly ilike?: IlikePatterns | undefined;
  /** PostgreSQL's answer for a record's value, for exact ones; what the pattern finds may be more. */
  readonly test?: ((value: unknown) => boolean) | undefined;
  /** Of a list that may be asked for in parts, each record of which is in one. */
  readonly list?: ValueList | undefined;
}

export type IlikePatterns = ReadonlyMap<string, readonly string[]>;

export interface ValueList {
  readonly values: readonly string[];
  /** Where the record has what is compared. */
  readonly path: string;
  part(values: readonly string[]): PatternPredicate;
  /** Which value a record's is; undefined: none, such a record satisfies the predicate by none of the parts. */
  valueOf(field: unknown): string | undefined;
}
