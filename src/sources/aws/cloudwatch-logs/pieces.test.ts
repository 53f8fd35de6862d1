import { expect, test } from 'vitest';
import { piecesOf, quartersOf } from './pieces.ts';

const NONE = { msPerPage: undefined, oldest: undefined, now: 100_000 };

test('pieces from the end grow, the last one is what is left', () => {
  expect([...piecesOf({ start: 0, end: 1_000 }, 'desc', { ...NONE, msPerPage: 50 })]).toEqual([
    { start: 951, end: 1_000 },
    { start: 751, end: 950 },
    { start: 0, end: 750 },
  ]);
});

test('pieces from the start do too', () => {
  expect([...piecesOf({ start: 0, end: 1_000 }, 'asc', { ...NONE, msPerPage: 50 })]).toEqual([
    { start: 0, end: 49 },
    { start: 50, end: 249 },
    { start: 250, end: 1_000 },
  ]);
});

test('quarters of a range are as many as it has milliseconds', () => {
  expect(quartersOf({ start: 10, end: 19 }, 'asc')).toEqual([
    { start: 10, end: 11 },
    { start: 12, end: 14 },
    { start: 15, end: 16 },
    { start: 17, end: 19 },
  ]);
  expect(quartersOf({ start: 10, end: 11 }, 'desc')).toEqual([
    { start: 11, end: 11 },
    { start: 10, end: 10 },
  ]);
});

test('whatever bounds them, they are the whole range, each millisecond once', () => {
  const { NEGATIVE_INFINITY: before, POSITIVE_INFINITY: after } = Number;
  for (const direction of ['asc', 'desc'] as const)
    for (const start of [before, 0, 99_999, 200_000])
      for (const end of [start, start + 1, 100_000, 300_000, after].filter((each) => each >= start))
        for (const msPerPage of [undefined, 1, 7_000])
          for (const oldest of [undefined, 3]) {
            if (start === before && end === before) continue;
            const pieces = [...piecesOf({ start, end }, direction, { msPerPage, oldest, now: 100_000 })];
            if (direction === 'desc') pieces.reverse();
            expect(pieces[0]?.start).toBe(start);
            expect(pieces.at(-1)?.end).toBe(end);
            pieces.forEach((piece, index) => {
              expect(piece.end).toBeGreaterThanOrEqual(piece.start);
              if (index > 0) expect(piece.start).toBe((pieces[index - 1]?.end ?? 0) + 1);
            });
            expect(pieces.length).toBeLessThanOrEqual(20);
          }
});
