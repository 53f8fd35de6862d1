import { firstLocation } from '../sql/walk.ts';
import type { Analysis } from './plan-cache.ts';

/**
 * A plan that hydrates all that any mention below needs. Undefined: a refusal that only values can decide is left to what
 * postgres_fdw ships, and what recurses in a view to PostgreSQL.
 */
export function wholePlan({ planned, ...analysis }: Analysis): Analysis | undefined {
  if (!('plan' in planned)) return undefined;
  const isWhole = planned.plan.steps.every(
    (step) => step.kind !== 'refuse' && (step.kind !== 'recursion' || firstLocation(step.node) !== undefined),
  );
  return isWhole ? { ...analysis, planned: { plan: { ...planned.plan, growth: undefined } } } : undefined;
}
