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
  const isList = !columns.some(({ key }) => key === true);
  const hasMembers = fields.some(({ path: [first] }) => typeof first === 'string');
  const values = (text: string): readonly unknown[] => {
    if (format === 'lines') return linesOf(text);
    const rows = rowsOf(parseJson(text), at, isList);
    if (hasMembers && !rows.every(mayHaveMembers)) throw new JsonRefused(at === undefined ? NO_OBJECT : NO_OBJECTS);
    return rows;
  };
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

/** What is no object has no members: all columns would be NULL, silently. */
const NO_OBJECT = 'is no object: where it is a list of rows, rows_at says so';
const NO_OBJECTS = 'has a row that is no object';

function mayHaveMembers(row: unknown): boolean {
  return row === null || (typeof row === 'object' && !Array.isArray(row));
}

/** No list, and no answer, is no row; but a table that is a list has one. */
function rowsOf(value: unknown, at: JsonPath | undefined, isList: boolean): readonly unknown[] {
  if (at === undefined) return value === null ? [] : [value];
  const found = readJsonPath(value, at);
  const rows = isList ? found : (found ?? []);
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
