import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TrailhoundError } from '../../src/kernel/errors.ts';
import { openBench, sorted, type Bench } from './support/bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench({ events: 12 });
});
afterAll(async () => {
  await bench.close();
});

const E = 'cloudtrail_trail_event';
const A = 'abuseipdb_check_ip';
const ALL = ['2600:1f18::7', '34.1.1.1', '34.1.1.2', '34.1.1.3'];

/** A statement, and the addresses that it may cost a call each. */
type Case = readonly [name: string, text: string, asked: readonly string[]];

async function answersLikePostgreSQL(text: string, asked: readonly string[]): Promise<void> {
  const expected = sorted(await bench.oracle(text));
  const answer = await bench.ask(text);
  expect(sorted(answer.rows)).toEqual(expected);
  expect(answer.asked).toEqual(asked);
}

/** Refused before any call. */
async function refuses(text: string): Promise<void> {
  const error: unknown = await bench.ask(text).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TrailhoundError);
  expect(['unbounded_key', 'not_supported']).toContain((error as TrailhoundError).code);
}

const KEYS: readonly Case[] = [
  [
    'keys that are all NULL or networks ask for nothing, and the guard finds none missing',
    `select w.note, a.is_tor from watchlist w left join ${A} a on a.ip_address = set_masklen(w.address, 24) or a.ip_address = nullif(w.address, w.address)`,
    [],
  ],
];

describe('keys', () => {
  test.each(KEYS)('%s', async (_name, text, asked) => {
    await answersLikePostgreSQL(text, asked);
  });
});
