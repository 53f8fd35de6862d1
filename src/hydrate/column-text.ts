import { exactJson, exactNumber, exactNumberText } from '../sources/exact-number.ts';
import { isInetText } from './inet-text.ts';
import { shallow } from './nesting.ts';
import type { Replacements } from './storable-text.ts';
import { storableJson, storableText } from './storable-text.ts';
import { timestampText } from './timestamp-text.ts';

/** Thrown by a TextOf where the value does not fit the type, as NestedTooDeep is; the row adds which column and which record. */
export class MisfitError extends Error {}

/** A JSON value, neither null nor undefined, as PostgreSQL's text input of one type; null where it says nothing. */
export type TextOf = (value: unknown, replacements: Replacements) => string | null;

/** `type` as format_type() prints it. Types that are not named here take the value's text and leave the rest to PostgreSQL. */
export function textOfType(type: string): TextOf {
  if (type.endsWith('[]')) return arrayText(textOfType(type.slice(0, -2)));
  return SCALARS[type.replace(/\(\d+(,\d+)?\)/, '')] ?? plainText;
}

const plainText: TextOf = (value, replacements) => {
  if (typeof value === 'string') return exactNumberText(value) ?? storableText(value, replacements);
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value instanceof Date) return scalar(timestampText)(value, replacements);
  return storableJson(exactJson(value), replacements);
};

const jsonText: TextOf = (value, replacements) => {
  if (typeof value === 'bigint') return String(value);
  return storableJson(shallow(exactJson(value)), replacements);
};

/**
 * An empty string says as little as an absent field where a string is not the type (GuardDuty sends
 * `"ipAddressV6": ""` for an instance without one), and is no reason to lose a scan.
 */
function scalar(convert: (value: unknown) => string | undefined): TextOf {
  return (value) => {
    if (value === '') return null;
    const text = convert(plain(value));
    if (text === undefined) throw new MisfitError();
    return text;
  };
}

/** Digits that a double would lose as they were written, else a double. */
function plain(value: unknown): unknown {
  const number = exactNumber(value);
  if (number === undefined) return value;
  return /^-?\d+$/.test(number) ? number : Number(number);
}

function booleanText(value: unknown): string | undefined {
  if (value === true || value === 'true') return 'true';
  if (value === false || value === 'false') return 'false';
  if (typeof value !== 'string') return undefined;
  const lower = value.toLowerCase();
  return lower === 'true' || lower === 'false' ? lower : undefined;
}

function integerText(lowest: bigint, highest: bigint): (value: unknown) => string | undefined {
  const low = Number(lowest);
  const high = Number(highest);
  return (value) => {
    if (typeof value === 'number') {
      // 2^63 as a double is one more than bigint holds.
      const fits = Number.isInteger(value) && value >= low && (value < high || BigInt(value) <= highest);
      // Beyond 2^53 String() would print an exponent or round digits.
      return fits ? (Number.isSafeInteger(value) ? String(value + 0) : BigInt(value).toString()) : undefined;
    }
    if (typeof value === 'bigint') return value >= lowest && value <= highest ? value.toString() : undefined;
    if (typeof value !== 'string' || !/^[+-]?\d{1,30}$/.test(value)) return undefined;
    const exact = BigInt(value.startsWith('+') ? value.slice(1) : value);
    return exact >= lowest && exact <= highest ? exact.toString() : undefined;
  };
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

function doubleText(value: unknown): string | undefined {
  if (typeof value === 'string' && !NUMBER.test(value)) return undefined;
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  // By way of a double: PostgreSQL refuses '1e-400', JavaScript reads it as 0.
  const number = Number(value);
  return Number.isFinite(number) ? String(number) : undefined;
}

function numericText(value: unknown): string | undefined {
  if (typeof value === 'string') return NUMBER.test(value) ? value : undefined;
  if (typeof value === 'bigint') return value.toString();
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : undefined;
}

function inetText(value: unknown): string | undefined {
  return typeof value === 'string' && isInetText(value) ? value : undefined;
}

const SCALARS: Readonly<Record<string, TextOf>> = {
  jsonb: jsonText,
  json: jsonText,
  boolean: scalar(booleanText),
  smallint: scalar(integerText(-(2n ** 15n), 2n ** 15n - 1n)),
  integer: scalar(integerText(-(2n ** 31n), 2n ** 31n - 1n)),
  bigint: scalar(integerText(-(2n ** 63n), 2n ** 63n - 1n)),
  'double precision': scalar(doubleText),
  numeric: scalar(numericText),
  'timestamp with time zone': scalar(timestampText),
  inet: scalar(inetText),
};

/**
 * An array literal with every element in quotes, so that `array_nulls`, delimiters and the word NULL do not matter. An
 * element that says nothing is left out: unquoted NULL would be the text 'NULL' where `array_nulls` is off.
 */
function arrayText(element: TextOf): TextOf {
  return (value, replacements) => {
    if (value === '') return null;
    if (!Array.isArray(value)) throw new MisfitError();
    let text = '{';
    for (const item of value as readonly unknown[]) {
      const part = item === null || item === undefined ? null : element(item, replacements);
      if (part === null) continue;
      text += `${text.length > 1 ? ',' : ''}"${/["\\]/.test(part) ? part.replace(/["\\]/g, '\\$&') : part}"`;
    }
    return `${text}}`;
  };
}
