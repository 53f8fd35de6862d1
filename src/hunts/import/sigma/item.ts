import type { SigmaText } from './sigma-text.ts';

/** What one value asks of a field. */
export type Match =
  | { readonly kind: 'text'; readonly text: SigmaText; readonly cased: boolean }
  | { readonly kind: 'regular expression'; readonly pattern: string; readonly ignoreCase: boolean }
  | { readonly kind: 'network'; readonly network: string }
  | { readonly kind: 'number'; readonly operator: Comparison; readonly number: string }
  | { readonly kind: 'time'; readonly part: TimePart; readonly operator: Comparison; readonly number: string }
  | { readonly kind: 'exists'; readonly wanted: boolean }
  | { readonly kind: 'null' }
  | { readonly kind: 'field'; readonly name: string; readonly place: Place; readonly cased: boolean };

export type Comparison = '=' | '<' | '<=' | '>' | '>=';
export type TimePart = 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year';
/** Where the other field's value has to be within this one's. */
export type Place = 'whole' | 'start' | 'end' | 'anywhere';

/** One line of a selection: a field, and the values that it may have. */
export interface Item {
  /** As the rule writes it, modifiers included. */
  readonly key: string;
  /** Undefined: the whole record's text. */
  readonly field: string | undefined;
  readonly negated: boolean;
  /** Each has to be there: the alternatives of one value, or of all where any will do. */
  readonly all: readonly (readonly Match[])[];
}

/** A search identifier's body. */
export type Detection =
  | { readonly kind: 'item'; readonly item: Item }
  /** `all`: a map, `any`: a list. */
  | { readonly kind: 'all' | 'any'; readonly of: readonly Detection[] };
