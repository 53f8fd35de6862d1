import type { Column } from '../catalog/table.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import type { Reference } from './statement.ts';
import type { Unbounded } from './steps.ts';

/** Refuses a statement that chooses rows by an input column without saying which values to ask with. */
export function unboundedInput(reference: Reference, column: Column): Unbounded {
  const { view } = reference;
  const name = view.columns.find((candidate) => candidate.column === column)?.name ?? column.name;
  const { defaultValue } = column;
  const otherwise = defaultValue === undefined ? 'without one' : `with ${defaultValue}`;
  const detail =
    `${name} says what the source is asked, which takes values from = and IN that are known before it is asked. ` +
    `Asked ${otherwise}, it would give rows that this statement drops. No call was made.`;
  const error = new TrailhoundError('unbounded_key', `${view.name} needs values for ${name}`, {
    detail,
    hint: `Name the values as well, as in: ${name} in (${samples(column).join(', ')}).`,
  });
  return { unbounded: reference, key: column, error, clause: undefined };
}

function samples({ type, defaultValue }: Column): readonly string[] {
  switch (type) {
    case 'integer':
    case 'bigint':
      return [defaultValue === '30' ? '90' : '30', defaultValue ?? '90'];
    case 'timestamp with time zone':
      return ["'2026-11-20 00:00+00'"];
    default:
      return ["'one'", "'another'"];
  }
}
