import type { Plan } from '../planner/plan.ts';
import { placeholder, type Statement } from '../planner/statement.ts';
import { replaceBytes, Slices, type Replacement } from '../sql/substitute.ts';
import type { ParameterList } from './parameters.ts';
import type { Placeholders } from './placeholders.ts';
import { referenceText, unqualifiedColumns } from './reference-text.ts';

/**
 * The client's text with its references, and the levels that were computed, replaced by their rows.
 *
 * @param besides what is written into it besides
 */
export function finalText(
  text: string,
  statement: Statement,
  plan: Plan,
  besides: readonly Replacement[],
  placeholders: Placeholders,
  parameters: ParameterList,
): string {
  const slices = new Slices(text);
  const replacements: Replacement[] = [...besides];
  for (const step of plan.steps) {
    if (step.kind !== 'evaluate' && step.kind !== 'recursion') continue;
    const own = placeholders.levelSql(placeholder('level', step.id), parameters);
    if (own !== undefined) replacements.push(slices.subquery(step.node, own));
  }
  const isReplaced = (at: number): boolean => replacements.some(({ start, end }) => at >= start && at < end);
  for (const { node, around } of plan.paddings)
    replacements.push(...slices.around(node, placeholders.substitutedAround(around, parameters)));
  for (const reference of statement.references) {
    if (reference.below) continue;
    if (isReplaced(reference.location)) continue;
    const own = placeholders.referenceSql(placeholder('reference', reference.id), parameters);
    if (own === undefined) throw new Error('a reference was not filled');
    replacements.push(referenceText(reference, own, slices));
  }
  replacements.push(...unqualifiedColumns(statement.references, statement, slices));
  return replaceBytes(text, replacements);
}
