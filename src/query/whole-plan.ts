import { lookupsIn } from '../planner/steps.ts';
import { firstLocation } from '../sql/walk.ts';
import type { Analysis } from './plan-cache.ts';

/**
 * A plan that hydrates all that any mention below needs. Undefined: a refusal that only values can decide is left to what
 * postgres_fdw ships; so are keys from rows that may be others once the
 * statement runs, where no place of the text could hold a guard.
 *
 * @param oneSnapshot the statement sees what the key queries see
 */
export function wholePlan({ planned, ...analysis }: Analysis, oneSnapshot: boolean): Analysis | undefined {
  if (!('plan' in planned)) return undefined;
  const { steps } = planned.plan;
  const mayChange = lookupsIn(steps).some(
    ({ ordinary, reference: { below, mention } }) => ordinary && below && mention === undefined,
  );
  const isWhole = steps.every((step) => {
    if (step.kind !== 'recursion') return step.kind !== 'refuse';
    return step.node === undefined ? oneSnapshot || !step.ordinary : firstLocation(step.node) !== undefined;
  });
  return isWhole && (oneSnapshot || !mayChange)
    ? { ...analysis, planned: { plan: { ...planned.plan, growth: undefined } } }
    : undefined;
}
