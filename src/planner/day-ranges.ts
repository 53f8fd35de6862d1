import type { A_Expr, Node } from '@pgsql/types';
import type { Column } from '../catalog/table.ts';
import { bare } from '../sql/walk.ts';
import { call, castTo } from './nodes.ts';
import { MIRRORED, operatorOf, type ColumnOf, type OpenPredicate } from './predicates.ts';

/**
 * Between which instants a column must lie where a comparison of its day is true: `event_time::date = '2026-11-20'`.
 * It says less than the comparison does: a day and its zone's clock are not told to sources, the range may be wider.
 *
 * @param constant whether an expression is one, which PostgreSQL may compute beforehand
 */
export function dayRangeIn(node: Node, constant: (value: Node) => boolean, column: ColumnOf): OpenPredicate[] {
  const columnWithin = (day: Node): Column | undefined => {
    const own = column(dayOf(day));
    return own?.type === 'timestamp with time zone' ? own : undefined;
  };
  const expression = bare(node, 'A_Expr');
  const compared = expression && comparedDays(expression, (day) => columnWithin(day) !== undefined);
  const own = compared && columnWithin(compared.day);
  if (compared === undefined || own === undefined) return [];
  const bound = (days: readonly Node[] | undefined, operator: '>=' | '<='): OpenPredicate[] =>
    days?.every(constant) === true && own.operators.includes(operator) ? [instant(own, operator, days)] : [];
  return [...bound(compared.from, '>='), ...bound(compared.until, '<=')];
}

interface ComparedDays {
  readonly day: Node;
  /** Of the first of these days or later. */
  readonly from?: readonly Node[];
  /** Of the last of these days or earlier. */
  readonly until?: readonly Node[];
}

function comparedDays(expression: A_Expr, isDay: (value: Node) => boolean): ComparedDays | undefined {
  const { kind, lexpr, rexpr } = expression;
  const operator = operatorOf(expression);
  if (lexpr === undefined || rexpr === undefined || operator === undefined) return undefined;
  switch (kind) {
    case 'AEXPR_OP': {
      const isLeft = isDay(lexpr);
      const [day, other] = isLeft ? [lexpr, rexpr] : [rexpr, lexpr];
      // `<` as `<=`: what is compared with a day may be an instant within it.
      switch (isLeft ? operator : MIRRORED[operator]) {
        case '=':
          return { day, from: [other], until: [other] };
        case '>':
        case '>=':
          return { day, from: [other] };
        case '<':
        case '<=':
          return { day, until: [other] };
        default:
          return undefined;
      }
    }
    case 'AEXPR_IN': {
      const days = bare(rexpr, 'List')?.items ?? [];
      return operator === '=' && days.length > 0 ? { day: lexpr, from: days, until: days } : undefined;
    }
    case 'AEXPR_BETWEEN': {
      const [low, high] = bare(rexpr, 'List')?.items ?? [];
      return low && high && { day: lexpr, from: [low], until: [high] };
    }
    default:
      return undefined;
  }
}

/** What a day is of: `x::date`, `date(x)`. */
function dayOf(node: Node): Node | undefined {
  const { arg, typeName } = bare(node, 'TypeCast') ?? {};
  if (arg !== undefined) {
    const isPlain = (typeName?.arrayBounds ?? []).length === 0;
    return isPlain && isOwn(typeName?.names, 'date') ? arg : undefined;
  }
  const { funcname, args = [] } = bare(node, 'FuncCall') ?? {};
  return args.length === 1 && isOwn(funcname, 'date') ? args[0] : undefined;
}

/** PostgreSQL's own type or function of this name. */
function isOwn(names: readonly Node[] | undefined, name: string): boolean {
  const parts = ['pg_catalog', ...(names ?? []).map((part) => bare(part, 'String')?.sval)].slice(-2);
  return parts[0] === 'pg_catalog' && parts[1] === name;
}

/** Day by day: `least()` and `greatest()` pass over NULL, as IN does. */
function instant(column: Column, operator: '>=' | '<=', days: readonly Node[]): OpenPredicate {
  const [day, ...others] = days.map((each) => castTo(each, 'date'));
  const isFrom = operator === '>=';
  const args = day === undefined ? others : [day, ...others];
  const one: Node =
    others.length === 0 && day !== undefined
      ? day
      : { MinMaxExpr: { op: isFrom ? 'IS_LEAST' : 'IS_GREATEST', args: [...args] } };
  const node = call(isFrom ? 'first_instant' : 'last_instant', [one], 'trailhound');
  return { column, operator, values: [{ node, list: false }] };
}
