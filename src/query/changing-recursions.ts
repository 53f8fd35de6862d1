import { TrailhoundError } from '../kernel/errors.ts';
import type { Step } from '../planner/steps.ts';

/**
 * A recursion that PostgreSQL computes itself reads ordinary tables a second time: in READ COMMITTED maybe other rows,
 * which lead to keys that nobody asked for.
 *
 * @throws not_supported before any call
 */
export function refuseChangingRecursions(steps: readonly Step[]): void {
  for (const step of steps) {
    if (step.kind !== 'recursion' || step.node !== undefined || !step.ordinary) continue;
    throw new TrailhoundError(
      'not_supported',
      `recursion of ${step.name} reads tables that may change before it runs`,
      {
        detail:
          'Its SEARCH or CYCLE makes PostgreSQL compute it once more, and new rows would lead to values that were not looked up.',
        hint: 'Run it in a transaction of its own: begin isolation level repeatable read.',
      },
    );
  }
}
