import type { SourceRecord } from '../source.ts';
import type { LookupDefinition } from './definition.ts';
import { decimal, exactJson, exactNumber, exactNumberText } from '../exact-number.ts';
import { type JsonPath, parseJsonPath, readJsonPath } from './json-path.ts';
import { JsonRefused, parseJson } from './parse-json.ts';

/** Cuts an answer into the rows of a definition. Throws JsonRefused. `of` is for messages: `203.0.113.7`. */
export type RecordsOf = (text: string, of: string) => readonly SourceRecord[];

/** Undefined: one of its paths is none. */
export function recordReader(definition: LookupDefinition): RecordsOf | undefined {
  const { columns, connection, rowsAt, moreAt, format } = definition;
  const [at, more] = [rowsAt, moreAt].map((path) => (path === undefined ? undefined : parseJsonPath(path)));
  if ((rowsAt !== undefined && at === undefined) || (moreAt !== undefined && more === undefined)) return undefined;
  const fields: Field[] = [];
  for (const { name, type, path, not_null: isMust = false } of columns) {
    if (path === undefined) continue;
    const steps = parseJsonPath(path);
    if (steps === undefined) return undefined;
    fields.push({ name, type, path: steps, isMust });
  }
  const isList = !columns.some(({ key }) => key === true);
  const hasMembers = fields.some(({ path: [first] }) => typeof first === 'string');
  const values = (text: string): readonly unknown[] => {
    if (format === 'lines') return linesOf(text);
    const answer = parseJson(text);
    if (more !== undefined && saysMore(readJsonPath(answer, more))) throw new JsonRefused(NOT_ALL, NOT_ALL_HINT);
    const rows = rowsOf(answer, at, isList);
    if (hasMembers && !rows.every(mayHaveMembers)) throw new JsonRefused(at === undefined ? NO_OBJECT : NO_OBJECTS);
    return rows;
  };
  return (text, of) =>
    values(text).map((row) => {
      const found = fields.map((field) => [field.name, field.type, valueOf(field, row)] as const);
      const json = found.filter(([, type]) => type === 'jsonb');
      const others = found.filter(([, type]) => type !== 'jsonb');
      return {
        value: Object.fromEntries(others.map(([name, type, value]) => [name, fitting(value, type)])),
        // As text: a double holds not every number of theirs.
        added:
          json.length === 0 ? {} : { record: Object.fromEntries(json.map(([name, , value]) => [name, jsonOf(value)])) },
        origin: () => `the answer of connection ${connection} for ${of}`,
      };
    });
}

interface Field {
  readonly name: string;
  readonly type: string;
  readonly path: JsonPath;
  readonly isMust: boolean;
}

/** Null: there is none. */
function valueOf({ name, path, isMust }: Field, row: unknown): unknown {
  const value = readJsonPath(row, path) ?? null;
  if (value === null && isMust) throw new JsonRefused(`has no value for column ${name}, which is not_null`);
  return value;
}

/** Without empty lines and comments. */
function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

const NOT_ALL = 'says that there is more than it holds';
const NOT_ALL_HINT =
  'Ask for less, or for more at once, as by an input of the table; trailhound.partial = on leaves such a key out, and counts it.';

/** `true`, the URL or the number of the next page. */
function saysMore(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false && value !== '' && value !== 0;
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
  const number = exactNumber(value);
  switch (type) {
    case 'text':
      return textOf(value);
    case 'text[]':
      return value === '' ? UNFIT : Array.isArray(value) ? value.map(textOf) : value;
    case 'timestamptz':
      // Seconds, or milliseconds: nothing says which.
      return value === '' || typeof value === 'number' || number !== undefined ? UNFIT : value;
    default:
      // 7.0 is a whole number.
      return value === '' ? UNFIT : number === undefined ? value : decimal(number).replace(/\.0+$/, '');
  }
}

function jsonOf(value: unknown): string | null {
  return value === null ? null : exactJson(value);
}

/** As PostgreSQL's `->>`; what holds others is their JSON. */
function textOf(value: unknown): unknown {
  return exactNumberText(value) ?? (typeof value === 'object' && value !== null ? exactJson(value) : value);
}
