import type { Reference } from '../planner/statement.ts';
import type { LookupKey, Predicate } from '../sources/source.ts';

/** Each key with each combination of the input columns' values: as the statement gives them, else their defaults. */
export function withInputs(
  keys: readonly string[],
  reference: Reference,
  predicates: readonly Predicate[],
): readonly LookupKey[] {
  let combinations: Record<string, string>[] = [{}];
  for (const column of reference.view.table.columns) {
    if (column.key !== 'input') continue;
    const given = predicates.find((predicate) => predicate.column === column && predicate.operator === '=')?.values;
    const values = given ?? (column.defaultValue === undefined ? [] : [column.defaultValue]);
    if (values.length === 0) continue;
    combinations = combinations.flatMap((inputs) =>
      [...new Set(values)].map((value) => ({ ...inputs, [column.name]: value })),
    );
  }
  return keys.flatMap((key) => combinations.map((inputs) => ({ key, inputs })));
}
