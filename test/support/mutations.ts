import fc from 'fast-check';

/** Counts and lengths at the ends of their ranges are what decoders stumble over. */
const EXTREMES = ['ffffffff', '7fffffff', '80000000', 'ffff', '7fff', '8000', '00000000', 'ff', '00'].map((hex) =>
  Buffer.from(hex, 'hex'),
);

const edit = fc.record({
  /** Where, as a part of the whole. */
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  removed: fc.nat(6),
  inserted: fc.oneof(
    fc.constantFrom(...EXTREMES),
    fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
  ),
});

/** What was valid, with some of its bytes replaced, taken out or put in. */
export function mutated(valid: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc.tuple(valid, fc.array(edit, { minLength: 1, maxLength: 4 })).map(([bytes, edits]) =>
    edits.reduce((left, { at, removed, inserted }) => {
      const start = Math.floor(left.length * at);
      return Buffer.concat([left.subarray(0, start), inserted, left.subarray(start + removed)]);
    }, bytes),
  );
}
