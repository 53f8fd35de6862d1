import type { SourceRecord } from '../source.ts';
import type { LookupDefinition } from './definition.ts';
import { type JsonPath, parseJsonPath, readJsonPath } from './json-path.ts';
import { exactDigits, JsonRefused, parseJson, rounded } from './parse-json.ts';

/** Cuts an answer into the rows of a definition. Throws JsonRefused. `of` is for messages: `203.0.113.7`. */
export type RecordsOf = (text: string, of: string) => readonly SourceRecord[];

/** Undefined: one of its paths is none. */
export function recordReader(definition: LookupDefinition): RecordsOf | undefined {
  const { columns, connection, rowsAt, format } = definition;
  const at = rowsAt === undefined ? undefined : parseJsonPath(rowsAt);
  if (rowsAt !== undefined && at === undefined) return undefined;
  const fields: { name: string; type: string; path: JsonPath }[] = [];
  for (const { name, type, path } of columns) {
    if (path === undefined) continue;
    const steps = parseJsonPath(path);
    if (steps === undefined) return undefined;
    fields.push({ name, type, path: steps });
  }
  const values = (text: string): readonly unknown[] =>
    format === 'lines' ? linesOf(text) : rowsOf(parseJson(text), at);
  return (text, of) =>
    values(text).map((row) => ({
      value: Object.fromEntries(
        fields.map(({ name, type, path }) => [name, fitting(readJsonPath(row, path), type) ?? null]),
      ),
      added: {},
      origin: () => `the answer of connection ${connection} for ${of}`,
    }));
}

/** Without empty lines and comments. */
function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** No list, and no answer, is no row. */
function rowsOf(value: unknown, at: JsonPath | undefined): readonly unknown[] {
  if (at === undefined) return value === null ? [] : [value];
  const rows = readJsonPath(value, at) ?? [];
  if (!Array.isArray(rows)) throw new JsonRefused('has no list where rows_at says');
  return rows;
}

/** Text that is of no type but text: what would be read as something else than the service said does not fit. */
const UNFIT = ' ';

function fitting(value: unknown, type: string): unknown {
  const digits = exactDigits(value);
  if (digits !== undefined) return type === 'jsonb' ? rounded(value) : digits;
  switch (type) {
    case 'jsonb':
      return rounded(value);
    case 'text':
      return typeof value === 'object' ? rounded(value) : value;
    case 'text[]':
      return value === '' ? UNFIT : rounded(value);
    case 'timestamptz':
      // Seconds, or milliseconds: nothing says which.
      return value === '' || typeof value === 'number' ? UNFIT : value;
    default:
      return value === '' ? UNFIT : value;
  }
}
