import type { Operator } from '../catalog/table.ts';

/** The operators by which a value bounds a column of an ordered type. */
export type BoundingOperator = '=' | '<' | '<=' | '>' | '>=';

const BOUNDING: Readonly<Record<Operator, BoundingOperator | undefined>> = {
  '=': '=',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
  '<>': undefined,
  like: undefined,
  'not like': undefined,
  ilike: undefined,
  '~': undefined,
  '~*': undefined,
  'is null': undefined,
  'is not null': undefined,
  'is true': undefined,
  'is false': undefined,
};

/** Undefined: it bounds nothing. */
export function boundingOperator(operator: Operator): BoundingOperator | undefined {
  return BOUNDING[operator];
}
