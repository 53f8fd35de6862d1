import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** Of a CloudTrail record, what the roads look at. */
export interface TrailRecord {
  readonly eventID?: string;
  readonly eventName?: string;
  readonly eventTime?: string;
  readonly sourceIPAddress?: string | null;
  readonly [field: string]: unknown;
}

/** Files of real records, where they are given. */
export function recordFiles(): readonly string[] {
  const folder = process.env.TRAILHOUND_TEST_DATA;
  if (folder === undefined || folder === '') return [];
  const cloudtrail = join(folder, 'cloudtrail');
  return readdirSync(cloudtrail)
    .filter((name) => name.endsWith('.ndjson.gz'))
    .map((name) => join(cloudtrail, name));
}

export function readRecords(files: readonly string[]): readonly TrailRecord[] {
  return files.flatMap((file) =>
    gunzipSync(readFileSync(file))
      .toString('utf8')
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => JSON.parse(line) as TrailRecord),
  );
}

/**
 * An address in canonical form, read by other means than the server's: four decimal numbers, whose leading zeros say
 * nothing, or IPv6 by the URL standard's own parser. Undefined for anything else.
 */
export function readAddress(text: string | null | undefined): string | undefined {
  if (typeof text !== 'string') return undefined;
  if (text.includes(':')) {
    const url = `http://[${text}]/`;
    return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : undefined;
  }
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d+$/.test(part))) return undefined;
  const numbers = parts.map(Number);
  return numbers.every((number) => number <= 255) ? numbers.join('.') : undefined;
}

/** Whether anybody on the internet can have the address. IPv6: only what the tests use. */
export function isPublic(address: string): boolean {
  if (address.includes(':')) return !/^(::1?$|f[cd]|fe[89a-f]|ff|2001:db8:)/.test(address);
  const [a = 0, b = 0, c = 0] = address.split('.').map(Number);
  if (a === 0 || a === 10 || a === 127 || a >= 224) return false;
  if (a === 100 && b >= 64 && b < 128) return false;
  if (a === 169 && b === 254) return false;
  if (a === 172 && b >= 16 && b < 32) return false;
  if (a === 192 && (b === 168 || (b === 0 && (c === 0 || c === 2)))) return false;
  if (a === 198 && (b === 18 || b === 19 || (b === 51 && c === 100))) return false;
  return !(a === 203 && b === 0 && c === 113);
}

/** What the world answers for a public address; known here, so that expected rows need nobody else. */
export function scoreOf(address: string): number {
  if (!isPublic(address)) return 0;
  let sum = 7;
  for (const character of address) sum = (sum * 31 + character.charCodeAt(0)) % 9973;
  return sum % 101;
}

export function distinct<T>(values: Iterable<T>): readonly T[] {
  return [...new Set(values)];
}
