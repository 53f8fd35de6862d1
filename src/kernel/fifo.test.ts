import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fifo } from './fifo.ts';

test('it holds what an array would, however it is filled and emptied', () => {
  const step = fc.oneof(
    fc.record({ push: fc.integer({ min: 1, max: 3_000 }) }),
    fc.record({ shift: fc.integer({ min: 1, max: 3_000 }) }),
    fc.record({ splice: fc.nat(5), count: fc.nat(3_000) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const fifo = new Fifo<number>();
      const array: number[] = [];
      let next = 0;
      for (const each of steps) {
        if ('push' in each) {
          for (let left = each.push; left > 0; left -= 1, next += 1) {
            fifo.push(next);
            array.push(next);
          }
        } else if ('shift' in each) {
          for (let left = each.shift; left > 0; left -= 1) expect(fifo.shift()).toBe(array.shift());
        } else {
          expect(fifo.splice(each.splice, each.count)).toEqual(array.splice(each.splice, each.count));
        }
        expect([fifo.length, fifo.at(0), fifo.at(array.length - 1), fifo.at(array.length)]).toEqual([
          ...[array.length, array[0], array.at(-1), undefined],
        ]);
      }
    }),
    { numRuns: 30 },
  );
});
