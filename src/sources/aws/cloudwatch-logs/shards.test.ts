import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shardsOf } from './shards.ts';

const DAY = 86_400_000;
const full = (first: number, last: number) => ({ span: { first, last }, isFull: true });

test('a range of few pages is not divided', () => {
  expect(shardsOf({ start: 0, end: DAY }, full(0, DAY / 3), DAY)).toBeUndefined();
});

test('some sixteen pages a shard, up to 32 shards', () => {
  expect(shardsOf({ start: 0, end: DAY }, full(0, DAY / 500), DAY)).toHaveLength(32);
  expect(shardsOf({ start: 0, end: DAY }, full(0, DAY / 200), DAY)).toHaveLength(13);
});

test('a few of a range of which the page tells little: each of them tells more', () => {
  expect(shardsOf({ start: 0, end: 1000 * DAY }, full(0, 1000), 1000 * DAY)).toHaveLength(8);
  expect(shardsOf({ start: 0, end: DAY }, { span: undefined, isFull: false }, DAY)).toHaveLength(8);
});

test('a shard is divided again only where it holds far more than its share', () => {
  const shardOf = (pages: number) => shardsOf({ start: 0, end: DAY }, { ...full(0, DAY / pages), isShard: true }, DAY);
  expect(shardOf(20)).toBeUndefined();
  expect(shardOf(100)).toHaveLength(8);
  expect(shardsOf({ start: 0, end: DAY }, { span: undefined, isFull: false, isShard: true }, DAY)).toBeUndefined();
});

test('nothing is known of events of one millisecond, or of none without a beginning', () => {
  const open = { start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY };
  expect(shardsOf(open, full(5, 5), DAY)).toBeUndefined();
  expect(shardsOf(open, { span: undefined, isFull: false }, DAY)).toBeUndefined();
});

test('an open range stays open at both ends, and events of the future are in its last shard', () => {
  const shards = shardsOf({ start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY }, full(0, 1000), 64_000);
  expect(shards?.at(0)?.start).toBe(Number.NEGATIVE_INFINITY);
  expect(shards?.at(-1)?.end).toBe(Number.POSITIVE_INFINITY);
});

test('every millisecond of the range is in one shard', () => {
  fc.assert(
    fc.property(
      fc.record({
        start: fc.integer({ min: 0, max: 10_000 }),
        length: fc.integer({ min: 0, max: 10_000 }),
        first: fc.integer({ min: 0, max: 100 }),
        last: fc.integer({ min: 0, max: 100 }),
        isFull: fc.boolean(),
        now: fc.integer({ min: 0, max: 30_000 }),
      }),
      ({ start, length, first, last, isFull, now }) => {
        const range = { start, end: start + length };
        const shards = shardsOf(range, { span: { first: start + first, last: start + first + last }, isFull }, now);
        if (shards === undefined) return;
        expect(shards.at(0)?.start).toBe(range.start);
        expect(shards.at(-1)?.end).toBe(range.end);
        shards.forEach((shard, index) => {
          expect(shard.end).toBeGreaterThanOrEqual(shard.start);
          if (index > 0) expect(shard.start).toBe((shards[index - 1]?.end ?? 0) + 1);
        });
      },
    ),
  );
});
