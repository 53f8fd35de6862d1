import type { Plan } from '../planner/plan.ts';
import { placeholder, type Statement } from '../planner/statement.ts';
import { replaceBytes, Slices, type Replacement } from '../sql/substitute.ts';
import { bare } from '../sql/walk.ts';
import type { ParameterList } from './parameters.ts';
import type { Placeholders } from './placeholders.ts';
import { writtenConditions, type TextCondition } from './text-conditions.ts';
import { referenceText, relationText, unqualifiedColumns } from './reference-text.ts';

/**
 * The client's text with its references, and the levels that were computed, replaced by their rows.
 *
 * @param more what is written into it besides
 */
export function finalText(
  text: string,
  statement: Statement,
  plan: Plan,
  more: { readonly besides: readonly Replacement[]; readonly conditions: readonly TextCondition[] },
  placeholders: Placeholders,
  parameters: ParameterList,
): string {
  const slices = new Slices(text);
  const replacements: Replacement[] = [...more.besides];
  for (const step of plan.steps) {
    if (step.kind !== 'evaluate' && step.kind !== 'recursion') continue;
    if (step.node === undefined) continue;
    const own = placeholders.levelSql(placeholder('level', step.id), parameters);
    if (own === undefined) continue;
    const view = bare(step.node, 'RangeVar');
    replacements.push(view === undefined ? slices.subquery(step.node, own) : relationText(view, `(${own})`, slices));
  }
  const isReplaced = (at: number): boolean => replacements.some(({ start, end }) => at >= start && at < end);
  for (const { node, around } of plan.paddings)
    replacements.push(...slices.around(node, placeholders.substitutedAround(around, parameters)));
  const conditions = [...more.conditions];
  for (const reference of statement.references) {
    if (reference.below) {
      // What reads it is no part of the text: its guard stands beside the name of that.
      const guard = placeholders.of(reference)?.guard;
      const { mention: location } = reference;
      if (guard === undefined || location === undefined || isReplaced(location)) continue;
      conditions.push({ location, merged: false, sql: guard.sql(parameters) });
      continue;
    }
    if (isReplaced(reference.location)) continue;
    const own = placeholders.referenceSql(placeholder('reference', reference.id), parameters);
    if (own === undefined) throw new Error('a reference was not filled');
    replacements.push(referenceText(reference, own, slices));
  }
  replacements.push(...writtenConditions(conditions, slices));
  replacements.push(...unqualifiedColumns(statement.references, statement, slices));
  return replaceBytes(text, replacements);
}
