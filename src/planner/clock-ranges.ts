import type { A_Expr, Node } from '@pgsql/types';
import { bare } from '../sql/walk.ts';
import { clockReadingOf } from './clock-readings.ts';
import { MIRRORED, operatorOf, type ColumnOf, type OpenPredicate } from './predicates.ts';

/**
 * Between which instants a column must lie where a comparison of what a clock shows then is true:
 * `event_time::date = '2026-11-20'`. The range may be wider, so that it says less than the comparison does.
 *
 * @param constant whether an expression is one, which PostgreSQL may compute beforehand
 */
export function clockRangeIn(node: Node, constant: (value: Node) => boolean, columnOf: ColumnOf): OpenPredicate[] {
  const expression = bare(node, 'A_Expr');
  const compared = expression && comparedIn(expression, (value) => clockReadingOf(value, columnOf) !== undefined);
  const reading = compared && clockReadingOf(compared.reading, columnOf);
  if (compared === undefined || reading === undefined) return [];
  const { column } = reading;
  const bound = (values: readonly Node[], operator: '>=' | '<='): OpenPredicate[] => {
    if (values.length === 0 || !values.every(constant) || !column.operators.includes(operator)) return [];
    const instants = values.map((value) => (operator === '>=' ? reading.first(value) : reading.last(value)));
    return [{ column, operator, values: [{ node: outermost(instants, operator), list: false }] }];
  };
  return [...bound(compared.from, '>='), ...bound(compared.until, '<=')];
}

interface Compared {
  readonly reading: Node;
  /** The reading is the first of these or later; empty: it may be any. */
  readonly from: readonly Node[];
  /** The reading is the last of these or earlier. */
  readonly until: readonly Node[];
}

function comparedIn(expression: A_Expr, isReading: (value: Node) => boolean): Compared | undefined {
  const { kind, lexpr, rexpr } = expression;
  const operator = operatorOf(expression);
  if (lexpr === undefined || rexpr === undefined || operator === undefined) return undefined;
  switch (kind) {
    case 'AEXPR_OP': {
      const isLeft = isReading(lexpr);
      const [reading, value] = isLeft ? [lexpr, rexpr] : [rexpr, lexpr];
      // `<` as `<=`: a day that is earlier than noon may be that of noon.
      switch (isLeft ? operator : MIRRORED[operator]) {
        case '=':
          return { reading, from: [value], until: [value] };
        case '>':
        case '>=':
          return { reading, from: [value], until: [] };
        case '<':
        case '<=':
          return { reading, from: [], until: [value] };
        default:
          return undefined;
      }
    }
    case 'AEXPR_IN': {
      const values = bare(rexpr, 'List')?.items ?? [];
      return operator === '=' ? { reading: lexpr, from: values, until: values } : undefined;
    }
    case 'AEXPR_BETWEEN': {
      const [low, high] = bare(rexpr, 'List')?.items ?? [];
      return low && high && { reading: lexpr, from: [low], until: [high] };
    }
    default:
      return undefined;
  }
}

/** `least()` and `greatest()` pass over NULL, as IN does. */
function outermost(instants: readonly Node[], operator: '>=' | '<='): Node {
  const [only] = instants;
  if (only !== undefined && instants.length === 1) return only;
  return { MinMaxExpr: { op: operator === '>=' ? 'IS_LEAST' : 'IS_GREATEST', args: [...instants] } };
}
