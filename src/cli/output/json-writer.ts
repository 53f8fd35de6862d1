import { pgTypes } from '../../engine/client.ts';
import type { ResultField, ResultRow } from '../../hunts/text-query.ts';
import { isNumeric } from './numeric-type.ts';
import { printableJson } from './printable.ts';
import type { RowWriter } from './row-writer.ts';

/** bool, json, jsonb: pg_type.dat. */
const BOOLEAN = 16;
const JSON_TYPES = new Set([114, 3802]);
/** Arrays of bool, int2, int4, float4, float8, text, varchar, inet, json, jsonb. */
const ARRAYS = new Set([1000, 1005, 1007, 1021, 1022, 1009, 1015, 1041, 199, 3807]);

/** `array`: one JSON text, an object a row. `lines`: one object a line. Numbers keep all their digits. */
export class JsonWriter implements RowWriter {
  readonly #shape: 'array' | 'lines';
  #fields: readonly ResultField[] = [];
  #names: readonly string[] = [];
  #first = true;

  constructor(shape: 'array' | 'lines') {
    this.#shape = shape;
  }

  begin(fields: readonly ResultField[]): string {
    this.#fields = fields;
    this.#names = distinct(fields.map((field) => field.name)).map((name) => JSON.stringify(name));
    this.#first = true;
    return this.#shape === 'array' ? '[' : '';
  }

  rows(rows: readonly ResultRow[]): string {
    return rows
      .map((row) => {
        const members = row.map(
          (value, index) => `${this.#names[index] ?? '""'}:${toJson(value, this.#fields[index])}`,
        );
        const object = printableJson(`{${members.join(',')}}`);
        if (this.#shape === 'lines') return `${object}\n`;
        const separator = this.#first ? '\n ' : ',\n ';
        this.#first = false;
        return separator + object;
      })
      .join('');
  }

  end(): string {
    if (this.#shape === 'lines') return '';
    return this.#first ? ']\n' : '\n]\n';
  }
}

/** Two columns may have one name, an object's members may not: the second becomes `name_2`. */
function distinct(names: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let number = 2; taken.has(unique); number += 1) unique = `${name}_${number}`;
    taken.add(unique);
    return unique;
  });
}

function toJson(value: string | null, field: ResultField | undefined): string {
  if (value === null) return 'null';
  const oid = field?.typeOid ?? 0;
  if (isNumeric(oid)) return /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value) ? value : JSON.stringify(value);
  if (oid === BOOLEAN) return value === 't' ? 'true' : 'false';
  // A json (not jsonb) text may hold line breaks between its tokens.
  if (JSON_TYPES.has(oid)) return /[\n\r]/.test(value) ? JSON.stringify(JSON.parse(value)) : value;
  if (ARRAYS.has(oid)) return JSON.stringify(parseArray(oid, value));
  return JSON.stringify(value);
}

/** pg's own type of `oid` is an enum of the types that it knows by name. */
const getTypeParser = pgTypes.getTypeParser as (oid: number, format: 'text') => (text: string) => unknown;

function parseArray(oid: number, text: string): unknown {
  return getTypeParser(oid, 'text')(text);
}
