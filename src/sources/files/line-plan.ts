import type { Column } from '../../catalog/table.ts';
import type { ScanRequest } from '../source.ts';

/** How a column's text is found. `added`: what a file's path says of all of its records. */
export type LineColumn =
  | { readonly kind: 'value'; readonly path: readonly string[]; readonly type: 'text' | 'boolean' | 'time' }
  | { readonly kind: 'added'; readonly name: string }
  | { readonly kind: 'line' };

/** The columns of rows that are written in the place of records, in their order. */
export type LinePlan = readonly LineColumn[];

/** What a file's path says, by the names of columns' paths: `@path`, `@region`. */
export type Place = Readonly<Record<string, string | undefined>>;

/** Undefined where a column takes more than its bytes: records then. */
export function linePlanOf({ copied, columns }: ScanRequest): LinePlan | undefined {
  if (copied !== true) return undefined;
  const plan = columns.map(lineColumnOf);
  return plan.every((column) => column !== undefined) ? plan : undefined;
}

function lineColumnOf({ path = '', type }: Column): LineColumn | undefined {
  switch (path) {
    case '':
    case '@record':
      return undefined;
    case '@file_line':
      return { kind: 'line' };
    case '@timestamp':
      // Of a record before which no time stands.
      return { kind: 'value', path: ['eventTime'], type: 'time' };
  }
  if (path.startsWith('@')) return type === 'text' ? { kind: 'added', name: path.slice(1) } : undefined;
  const written = WRITTEN[type];
  return written && { kind: 'value', path: path.split('.'), type: written };
}

const WRITTEN: Readonly<Record<string, 'text' | 'boolean' | 'time'>> = {
  text: 'text',
  boolean: 'boolean',
  'timestamp with time zone': 'time',
};
