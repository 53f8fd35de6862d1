import { nullsComeFirst } from '../../null-order.ts';
import type { Order, Predicate } from '../../source.ts';
import { CLOCK_SLACK_MS } from '../../time-range.ts';
import type { AwsConnection } from '../connection.ts';
import { PATHS } from './paths.ts';

/** An order of events that is their timestamps', or nearly so. */
export interface TimeOrder {
  readonly direction: 'asc' | 'desc';
  /** The value before which no event comes whose timestamp lies beyond this one. */
  reachedAt(timestamp: number): number;
}

/** Undefined where timestamps do not tell an order: of another column, or where NULLs come first that nothing leaves out. */
export function timeOrderOf(
  order: Order,
  predicates: readonly Predicate[],
  connections: readonly AwsConnection[],
): TimeOrder | undefined {
  const { column, direction } = order;
  switch (column.path) {
    case PATHS.timestamp:
      return { direction, reachedAt: (timestamp) => timestamp };
    case PATHS.eventTime: {
      if (nullsComeFirst(order, predicates)) return undefined;
      if (direction === 'desc') return { direction, reachedAt: (timestamp) => timestamp + CLOCK_SLACK_MS };
      const slacks = connections.map(({ deliverySlackMs }) => deliverySlackMs ?? Number.POSITIVE_INFINITY);
      const slack = Math.max(0, ...slacks);
      return Number.isFinite(slack) ? { direction, reachedAt: (timestamp) => timestamp - slack } : undefined;
    }
    case undefined:
    default:
      return undefined;
  }
}
