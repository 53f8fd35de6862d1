import type { Column } from '../catalog/table.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import { exactJson } from '../sources/exact-number.ts';
import type { SourceRecord } from '../sources/source.ts';
import type { TextOf } from './column-text.ts';
import { MisfitError, textOfType } from './column-text.ts';
import type { Row } from './hydrator.ts';
import { DEEPEST, NestedTooDeep, shallow } from './nesting.ts';
import type { Replacements } from './storable-text.ts';
import { storableJson } from './storable-text.ts';

/** Cuts records into rows of fixed columns. Compiled once a fetch; runs for millions of records. */
export interface RowMapper {
  /** Throws TrailhoundError('unreadable_record') where a value does not fit its column. */
  readonly toRow: (record: SourceRecord) => Row;
  /** Characters that PostgreSQL cannot store and that became U+FFFD, so far. */
  readonly replaced: number;
}

type Reader = (record: SourceRecord) => unknown;

/** `table` is for messages. */
export function compileRow(table: string, columns: readonly Column[]): RowMapper {
  const readers = columns.map((column) => readerOf(column.path));
  const texts: readonly TextOf[] = columns.map((column) =>
    isText(column.path) ? storableJsonText : textOfType(column.type),
  );
  const width = columns.length;
  const replacements: Replacements = { count: 0 };
  return {
    toRow: (record) => {
      const row = new Array<string | null>(width);
      for (let index = 0; index < width; index += 1) {
        let value: unknown;
        try {
          value = (readers[index] as Reader)(record);
          row[index] = value === null || value === undefined ? null : (texts[index] as TextOf)(value, replacements);
        } catch (error) {
          throw unreadable(table, columns[index] as Column, value, record, error);
        }
      }
      return row;
    },
    get replaced() {
      return replacements.count;
    },
  };
}

/** `@record`, and `@record.x`: JSON as it was written. */
function isText(path: string | undefined): boolean {
  return path === '@record' || path?.startsWith('@record.') === true;
}

const storableJsonText: TextOf = (value, replacements) => storableJson(shallow(value as string), replacements);

/** `a.b` leads into the value, `@x` and `@x.y` into what the source added, `@record` is the record's own text. */
function readerOf(path: string | undefined): Reader {
  if (path === undefined) return () => undefined;
  if (path === '@record') return (record) => record.text ?? exactJson(record.value);
  const own = path.startsWith('@');
  const names = (own ? path.slice(1) : path).split('.');
  const [first = '', second = '', third = ''] = names;
  if (own) {
    if (names.length === 1) return (record) => record.added[first];
    return (record) => names.reduce<unknown>(member, record.added);
  }
  // The usual depths are spelt out: this runs for every column of every record.
  if (names.length === 1) return (record) => member(record.value, first);
  if (names.length === 2) return (record) => member(member(record.value, first), second);
  if (names.length === 3) return (record) => member(member(member(record.value, first), second), third);
  return (record) => names.reduce(member, record.value);
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function unreadable(
  table: string,
  column: Column,
  value: unknown,
  record: SourceRecord,
  cause: unknown,
): TrailhoundError {
  // A RangeError comes from JSON nested deeper than the stack is.
  const isDeep = cause instanceof NestedTooDeep || cause instanceof RangeError;
  if (!isDeep && !(cause instanceof MisfitError))
    return new TrailhoundError('internal', `column ${column.name} of ${table} could not be read`, { cause });
  const held = isDeep ? `JSON of more than ${DEEPEST} levels` : `${kindOf(value)} as ${column.type}`;
  return new TrailhoundError('unreadable_record', `column ${column.name} of ${table} cannot hold ${held}`, {
    detail: `The record is ${record.origin()}.`,
    hint: `Leave ${column.name} out of the statement, narrow the statement so that it does not read this record, or set trailhound.partial = on, which leaves such records out and counts them.`,
    cause,
  });
}

/** The kind alone: a value may be long, or private. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'string') return 'this text';
  if (typeof value === 'number' || typeof value === 'bigint') return 'this number';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
