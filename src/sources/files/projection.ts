import type { Column } from '../../catalog/table.ts';
import type { Json } from '../trail-record.ts';

/** What of a record is used: the rest need not come out of the thread that has parsed it. */
export interface Projection {
  /** Names that lead from the record to a value. */
  readonly paths: readonly (readonly string[])[];
  readonly text: boolean;
}

/** Columns' paths: `a.b` leads into the record, `@record` is its text, other `@x` are not of the record. */
export function projectionOf(columns: readonly Column[]): Projection {
  const paths = columns.flatMap(({ path }) => (path === undefined || path.startsWith('@') ? [] : [path.split('.')]));
  // What lies below another one comes with it.
  const roots = paths.filter(
    (path) => !paths.some((other) => other.length < path.length && other.every((name, index) => name === path[index])),
  );
  return { paths: roots, text: columns.some(({ path }) => path === '@record') };
}

/** The same record, of which only these paths lead anywhere. */
export function project(value: Json, { paths }: Projection): Json {
  const projected: Record<string, unknown> = {};
  for (const path of paths) copy(value, projected, path, 0);
  return projected;
}

function copy(from: Json, to: Record<string, unknown>, path: readonly string[], depth: number): void {
  const name = path[depth] as string;
  const value = from[name];
  if (value === undefined || value === null) return;
  if (depth === path.length - 1) to[name] = value;
  else if (typeof value === 'object') {
    copy(value as Json, (to[name] ??= {}) as Record<string, unknown>, path, depth + 1);
  }
}
