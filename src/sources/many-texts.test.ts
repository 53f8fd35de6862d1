import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ManyTexts } from './many-texts.ts';

const text = fc
  .tuple(
    fc.constantFrom('', 'arn:aws:', 'arn:aws:iam::'),
    fc.string({ unit: fc.constantFrom('a', 'b', 'c', ':', '\xff'), minLength: 3, maxLength: 9 }),
  )
  .map(([before, own]) => Buffer.from(before + own, 'latin1'));
const texts = fc.array(text, { minLength: 1, maxLength: 60 });

test('finds the first text from a place on, or some of what it begins with', () => {
  fc.assert(
    fc.property(
      texts,
      fc.array(fc.oneof(text, fc.string({ unit: fc.constantFrom('a', 'b', 'c', ':'), maxLength: 5 })), {
        maxLength: 12,
      }),
      fc.nat(60),
      (wanted, parts, from) => {
        const bytes = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
        const found = new ManyTexts(wanted).find(bytes, from);
        const places = wanted
          .map((one) => ({ at: bytes.indexOf(one, from), length: one.length }))
          .filter(({ at }) => at >= 0);
        // No text begins behind it, that ends before it; and what is said to be found may be found so.
        if (places.length > 0) expect(found).toBeGreaterThanOrEqual(0);
        for (const { at, length } of places) expect(found).toBeLessThan(at + length);
        if (found >= 0) expect(wanted.some((one) => isEndOf(one, bytes, found))).toBe(true);
      },
    ),
    { numRuns: 2_000 },
  );
});

/** It, or what is left of it without some of its first bytes, stands there. */
function isEndOf(one: Buffer, bytes: Buffer, at: number): boolean {
  for (let from = 0; from <= one.length - 3; from += 1) {
    const rest = one.subarray(from);
    if (bytes.subarray(at, at + rest.length).equals(rest)) return true;
  }
  return false;
}

test('texts that begin alike are told apart by what follows', () => {
  const all = Array.from({ length: 500 }, (_, index) => Buffer.from(`arn:aws:iam::111122223333:user/name-${index}`));
  const bytes = Buffer.from(`"arn:aws:iam::111122223333:user/name" "arn:aws:iam::111122223333:user/name-499"`);
  const found = new ManyTexts(all).find(bytes, 0);
  expect(found).toBeGreaterThan(bytes.lastIndexOf('arn'));
  expect(new ManyTexts(all).find(bytes.subarray(0, 60), 0)).toBe(-1);
});
