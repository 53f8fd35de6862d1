import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type PartKind, type SoFar, LATE_PAGES, divisionOf } from './shards.ts';

const DAY = 86_400_000;
const RANGE = { start: 0, end: DAY };
const OPEN = { start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY };
/** The first page, full. */
const page = (first: number, last: number): SoFar => ({ pages: 1, span: { first, last }, pageMs: last - first });
/** As many as a day has of such pages. */
const aDayOf = (pages: number, kind: PartKind = 'whole') => divisionOf(RANGE, page(0, DAY / pages), kind, DAY);
const kinds = (parts: ReturnType<typeof divisionOf>) => parts?.map(({ kind }) => kind);

test('a range of few pages is not divided', () => {
  expect(aDayOf(5)).toBeUndefined();
});

test('one of some more is in shards, a few at least', () => {
  expect(aDayOf(6)).toHaveLength(2);
  expect(kinds(aDayOf(48))).toEqual(Array<string>(8).fill('shard'));
});

test('one page makes nobody believe in hundreds: each piece is longer than all before it', () => {
  expect(aDayOf(500)).toEqual([
    { kind: 'piece', range: { start: 0, end: (20 * DAY) / 500 - 1 } },
    { kind: 'piece', range: { start: (20 * DAY) / 500, end: (80 * DAY) / 500 - 1 } },
    { kind: 'piece', range: { start: (80 * DAY) / 500, end: (320 * DAY) / 500 - 1 } },
    { kind: 'piece', range: { start: (320 * DAY) / 500, end: DAY } },
  ]);
});

test('where a piece tells the same, it is in shards of twenty pages; where it tells far more, in pieces again', () => {
  expect(aDayOf(20, 'piece')).toBeUndefined();
  expect(kinds(aDayOf(200, 'piece'))).toEqual(Array<string>(10).fill('shard'));
  expect(kinds(aDayOf(1_000, 'piece'))).toEqual(Array<string>(4).fill('piece'));
});

test('a shard is divided only where it holds far more than its share', () => {
  expect(aDayOf(40, 'shard')).toBeUndefined();
  expect(kinds(aDayOf(200, 'shard'))).toEqual(Array<string>(3).fill('piece'));
});

test('pages that are not full do not tell: the next ones are read, until they are many', () => {
  const empty = (pages: number): SoFar => ({ pages, span: undefined, pageMs: undefined });
  for (let pages = 1; pages < LATE_PAGES; pages += 1) {
    expect(divisionOf(RANGE, empty(pages), 'whole', DAY)).toBeUndefined();
  }
  expect(divisionOf(RANGE, empty(LATE_PAGES), 'whole', DAY)).toHaveLength(8);
  expect(divisionOf(RANGE, empty(LATE_PAGES), 'shard', DAY)).toBeUndefined();
  expect(divisionOf(OPEN, empty(LATE_PAGES), 'whole', DAY)).toBeUndefined();
});

test('many pages with a few events tell where they have come to', () => {
  const soFar = (last: number): SoFar => ({ pages: LATE_PAGES, span: { first: 0, last }, pageMs: undefined });
  expect(divisionOf(RANGE, soFar(DAY / 2), 'whole', DAY)).toBeUndefined();
  const [first, second] = divisionOf(RANGE, soFar(DAY / 20), 'whole', DAY) ?? [];
  expect(first?.range).toEqual({ start: 0, end: DAY / 20 });
  expect(second?.range.start).toBe(DAY / 20 + 1);
});

test('what seemed to be a few pages is divided once the last one says that far more are to come', () => {
  const soFar: SoFar = { pages: LATE_PAGES, span: { first: 0, last: DAY / 2 }, pageMs: DAY / 1_000 };
  expect(kinds(divisionOf(RANGE, soFar, 'shard', DAY))).toEqual(Array<string>(5).fill('piece'));
  expect(divisionOf(RANGE, { ...soFar, pages: LATE_PAGES + 1 }, 'shard', DAY)).toBeUndefined();
});

test('nothing is known of events of one millisecond', () => {
  expect(divisionOf(OPEN, { pages: 1, span: { first: 5, last: 5 }, pageMs: undefined }, 'whole', DAY)).toBeUndefined();
});

test('an open range stays open at both ends, and events of the future are in its last part', () => {
  const parts = divisionOf(OPEN, page(0, 1_000), 'whole', 64_000);
  expect(parts?.at(0)?.range.start).toBe(Number.NEGATIVE_INFINITY);
  expect(parts?.at(-1)?.range.end).toBe(Number.POSITIVE_INFINITY);
});

test('every millisecond of the range is in one part', () => {
  fc.assert(
    fc.property(
      fc.record({
        start: fc.integer({ min: 0, max: 10_000 }),
        length: fc.integer({ min: 0, max: 100_000 }),
        pages: fc.constantFrom(1, LATE_PAGES),
        first: fc.integer({ min: 0, max: 100 }),
        last: fc.integer({ min: 0, max: 100 }),
        pageMs: fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
        isEmpty: fc.boolean(),
        kind: fc.constantFrom('whole' as const, 'piece' as const, 'shard' as const),
        now: fc.integer({ min: 0, max: 200_000 }),
      }),
      ({ start, length, pages, first, last, pageMs, isEmpty, kind, now }) => {
        const range = { start, end: start + length };
        const span = isEmpty ? undefined : { first: start + first, last: start + first + last };
        const parts = divisionOf(range, { pages, span, pageMs: isEmpty ? undefined : pageMs }, kind, now);
        if (parts === undefined) return;
        expect(parts.at(0)?.range.start).toBe(range.start);
        expect(parts.at(-1)?.range.end).toBe(range.end);
        expect(parts.length).toBeGreaterThan(1);
        parts.forEach(({ range: part }, index) => {
          expect(part.end).toBeGreaterThanOrEqual(part.start);
          if (index > 0) expect(part.start).toBe((parts[index - 1]?.range.end ?? 0) + 1);
        });
      },
    ),
  );
});
