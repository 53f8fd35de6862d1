import type { Column } from '../catalog/table.ts';
import type { Aggregate, Aggregation, Predicate } from '../sources/source.ts';
import { quoteIdent } from '../sql/substitute.ts';

/**
 * What a source is asked in the place of rows: what the statement aggregates, and of each column that it compares as much
 * as rows need that the comparison is true of. Undefined where that cannot be asked.
 */
export function withWitnesses(
  { groupBy, aggregates }: Aggregation,
  predicates: readonly Predicate[],
): Aggregation | undefined {
  if (predicates.some(({ column, steps }) => column.path === undefined || steps !== undefined)) return undefined;
  const compared = predicates.map(({ column }) => column);
  const columns = new Set([...aggregates.flatMap(({ column }) => column ?? []), ...compared]);
  const asked = [...aggregates];
  const isAsked = (name: Aggregate['function'], column: Column): boolean =>
    asked.some((each) => each.function === name && each.column === column);
  for (const column of columns) {
    if (groupBy.includes(column)) continue;
    if (!isAsked('count', column)) asked.push({ function: 'count', column });
    if (!isAsked('min', column) && !isAsked('max', column)) asked.push({ function: 'any_value', column });
  }
  return { groupBy, aggregates: asked };
}

/** The columns of the groups' records. */
export function groupColumns({ groupBy, aggregates }: Aggregation): readonly Column[] {
  return [
    ...groupBy.map((column, index) => ({ ...column, name: `g${String(index)}`, path: `@groups.${String(index)}` })),
    ...aggregates.map(({ function: name, column }, index) => ({
      ...(name === 'count' || column === undefined ? COUNT : column),
      name: `a${String(index)}`,
      path: `@aggregates.${String(index)}`,
    })),
  ];
}

const COUNT: Column = {
  name: 'count',
  attnum: 0,
  type: 'bigint',
  typeOid: 20,
  notNull: true,
  operators: [],
  comment: '',
};

/** The table's columns that the rows of groups have. */
export function columnsOfGroups({ groupBy, aggregates }: Aggregation): ReadonlySet<string> {
  return new Set([...groupBy, ...aggregates.flatMap(({ column }) => column ?? [])].map(({ name }) => name));
}

/**
 * As many rows for each group as it has, with the same aggregates: PostgreSQL computes the statement over these as it
 * stands, HAVING and all.
 *
 * @param groups a SELECT of the groups
 */
export function rowsOfGroups(groups: string, { groupBy, aggregates }: Aggregation): string {
  const at = (name: Aggregate['function'], column: Column | undefined): string | undefined => {
    const index = aggregates.findIndex((each) => each.function === name && each.column === column);
    return index === -1 ? undefined : `_.a${String(index)}`;
  };
  const grouped = groupBy.map(({ name }, index) => `_.g${String(index)} as ${quoteIdent(name)}`);
  const columns = new Set(aggregates.flatMap(({ column }) => column ?? []));
  const aggregated = [...columns]
    .filter((column) => !groupBy.includes(column))
    .map((column) => {
      const [least, most] = [at('min', column), at('max', column)];
      const value = least ?? most ?? at('any_value', column) ?? 'null';
      const last = most ?? value;
      const isNull = `_.i operator(pg_catalog.>) ${at('count', column) ?? '0'}`;
      const isFirst = '_.i operator(pg_catalog.=) 1';
      return `case when ${isNull} then null when ${isFirst} then ${value} else ${last} end as ${quoteIdent(column.name)}`;
    });
  const numbered = `select s.*, pg_catalog.generate_series(1::pg_catalog.int8, s.a0) as i from (${groups}) as s`;
  return `select ${[...grouped, ...aggregated].join(', ')} from (${numbered}) as _`;
}
