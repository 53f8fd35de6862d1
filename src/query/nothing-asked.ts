import type { StatementContext } from '../hydrate/hydrator.ts';
import type { Plan } from '../planner/plan.ts';
import type { Reference } from '../planner/statement.ts';

/** With `trailhound.sources = off` every virtual table is empty, one whose key nothing bounds too. */
export function nothingAsked(references: readonly Reference[], context: StatementContext): Plan {
  for (const name of new Set(references.map(({ view }) => view.table.name))) {
    context.notice('NOTICE', `${name} was not asked: trailhound.sources is off`);
  }
  return { steps: [], dead: new Set(references), paddings: [], growth: undefined, inputs: [] };
}
