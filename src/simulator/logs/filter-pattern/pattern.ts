/**
 * CloudWatch Logs filter patterns as values, after "Filter pattern syntax for metric filters, subscription filters,
 * filter log events, and Live Tail" of the CloudWatch Logs user guide.
 */
export type FilterPattern =
  | { readonly kind: 'everything' }
  | {
      readonly kind: 'terms';
      readonly required: readonly Term[];
      /** One of them is enough; ignored where there are required or excluded terms too, as the guide says. */
      readonly optional: readonly Term[];
      readonly excluded: readonly Term[];
    }
  | { readonly kind: 'json'; readonly expression: JsonExpression }
  | { readonly kind: 'space_delimited'; readonly fields: readonly SpaceDelimitedField[] };

export type Term =
  { readonly kind: 'text'; readonly text: string } | { readonly kind: 'regex'; readonly regex: RegExp };

export type JsonExpression =
  | { readonly kind: 'and'; readonly operands: readonly JsonExpression[] }
  | { readonly kind: 'or'; readonly operands: readonly JsonExpression[] }
  | {
      readonly kind: 'compare';
      readonly selector: Selector;
      readonly operator: ComparisonOperator;
      readonly value: Value;
    }
  | { readonly kind: 'is'; readonly selector: Selector; readonly constant: true | false | null }
  | { readonly kind: 'not_exists'; readonly selector: Selector };

/** `$.users[0].email` is ['users', 0, 'email']. */
export type Selector = readonly SelectorStep[];
export type SelectorStep = string | number | typeof ANY;
/** `*`: every element of an array or every field of an object. */
export const ANY = Symbol('*');

export type ComparisonOperator = '=' | '!=' | '<' | '<=' | '>' | '>=';

export type Value =
  | { readonly kind: 'regex'; readonly regex: RegExp }
  /** `number` is set where the text is an unquoted number. Asterisks at either end of the text are wildcards. */
  | { readonly kind: 'literal'; readonly text: string; readonly number: number | undefined };

export type SpaceDelimitedField =
  { readonly kind: 'ellipsis' } | { readonly kind: 'field'; readonly condition: FieldCondition | undefined };

export type FieldCondition =
  | { readonly kind: 'and'; readonly operands: readonly FieldCondition[] }
  | { readonly kind: 'or'; readonly operands: readonly FieldCondition[] }
  | { readonly kind: 'compare'; readonly operator: ComparisonOperator; readonly value: Value };

/** The service answers such a pattern with InvalidParameterException. */
export class InvalidFilterPattern extends Error {
  override readonly name = 'InvalidFilterPattern';
}
