import type { Column } from '../catalog/table.ts';
import type { InputKeys } from '../planner/steps.ts';
import type { Reference } from '../planner/statement.ts';
import type { LookupKey, Predicate } from '../sources/source.ts';

/** Values of input columns that rows give. */
export type InputValues = ReadonlyMap<Column, readonly string[]>;

/**
 * Each key with each combination of the input columns' values: as rows or constants of the statement give them, else
 * their defaults.
 */
export function withInputs(
  keys: readonly string[],
  reference: Reference,
  predicates: readonly Predicate[],
  values: InputValues = new Map(),
): readonly LookupKey[] {
  let combinations: Record<string, string>[] = [{}];
  for (const column of reference.view.table.columns) {
    if (column.key !== 'input') continue;
    const given =
      values.get(column) ??
      predicates.find((predicate) => predicate.column === column && predicate.operator === '=')?.values;
    const own = given ?? (column.defaultValue === undefined ? undefined : [column.defaultValue]);
    if (own === undefined) continue;
    combinations = combinations.flatMap((inputs) =>
      [...new Set(own)].map((value) => ({ ...inputs, [column.name]: value })),
    );
  }
  return keys.flatMap((key) => combinations.map((inputs) => ({ key, inputs })));
}

/** The look-ups of rows that are JSON arrays of a key and a value of an input column. */
export function pairedWith(
  column: Column,
  rows: readonly string[],
  reference: Reference,
  predicates: readonly Predicate[],
): readonly LookupKey[] {
  const found = new Map<string, LookupKey>();
  for (const row of rows) {
    const [key, text] = JSON.parse(row) as readonly [string | null, string | null];
    const value = inputValue(column, text);
    if (key === null || value === undefined) continue;
    for (const asked of withInputs([key], reference, predicates, new Map([[column, [value]]])))
      found.set(`${key} ${value}`, asked);
  }
  return [...found.values()];
}

/** The column of a look-up whose values stand beside the keys. */
export function pairedColumn(inputs: readonly InputKeys[]): Column | undefined {
  return inputs.find(({ queries }) => queries === undefined)?.column;
}

/** No integer equals 30.5, and 30.0 is 30; NULL equals nothing. */
export function inputValue({ type }: Column, text: string | null): string | undefined {
  if (text === null || (type !== 'integer' && type !== 'bigint')) return text ?? undefined;
  const number = Number(text);
  return Number.isSafeInteger(number) ? String(number) : undefined;
}
