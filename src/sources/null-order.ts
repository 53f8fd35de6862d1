import type { Order, Predicate } from './source.ts';

/** Whether rows without a value come before all others, and no condition leaves them out. */
export function nullsComeFirst({ column, nulls }: Order, predicates: readonly Predicate[]): boolean {
  return nulls === 'first' && !predicates.some((each) => each.column === column && each.operator !== 'is null');
}

/** Whether it asks for the newest CloudTrail events, of which none may be without a time. */
export function isNewestFirst(order: Order, predicates: readonly Predicate[]): boolean {
  return order.column.path === 'eventTime' && order.direction === 'desc' && !nullsComeFirst(order, predicates);
}
