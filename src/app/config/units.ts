import os from 'node:os';
import path from 'node:path';

const DURATION_MS = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
} as const;

const SIZE_BYTES = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
} as const;

/** `24h`, `5min`, `1.5s` in milliseconds; undefined where the text is no duration. */
export function parseDuration(text: string): number | undefined {
  const amount = withUnit(text, DURATION_MS);
  return amount === undefined ? undefined : Math.round(amount);
}

/** `1GiB`, `500MB` in bytes (kB, MB, … are powers of ten; KiB, MiB, … of two); undefined where the text is no size. */
export function parseSize(text: string): number | undefined {
  const amount = withUnit(text, SIZE_BYTES);
  return amount === undefined ? undefined : Math.round(amount);
}

export const DURATION_UNITS = Object.keys(DURATION_MS).join(', ');
export const SIZE_UNITS = Object.keys(SIZE_BYTES).join(', ');

function withUnit(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  const unit = Object.hasOwn(units, match[2]) ? units[match[2]] : undefined;
  return unit === undefined ? undefined : Number(match[1]) * unit;
}

/** An absolute path; `~` is the home directory, what is relative starts at `base`. */
export function resolvePath(text: string, base: string): string {
  if (text === '~') return os.homedir();
  if (text.startsWith('~/')) return path.join(os.homedir(), text.slice(2));
  return path.resolve(base, text);
}
