import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteFilter } from '../byte-filter.ts';
import { CandidateSplitter } from './candidate-splitter.ts';
import type { Needles } from '../needles.ts';
import { RecordSplitter } from './record-splitter.ts';
import type { Passed, Skipped, Split } from './split.ts';

interface Summary {
  /** `line:text` of what the filter lets through. */
  readonly wanted: readonly string[];
  readonly malformed: readonly string[];
  /** Records that were cut out. */
  readonly cut: number;
}

function summaryOf(found: readonly (Split | Passed | Skipped)[], filter: ByteFilter): Summary {
  const wanted: string[] = [];
  const malformed: string[] = [];
  let cut = 0;
  for (const one of found) {
    if (one.kind === 'malformed') malformed.push(`${one.line}!${one.reason}`);
    else if (one.kind === 'record') {
      cut += 1;
      if (filter.mayHold(one.bytes)) wanted.push(`${one.line}:${one.time ?? ''}${one.bytes.toString()}`);
    }
  }
  return { wanted, malformed, cut };
}

function both(text: string, needles: readonly Needles[], chunk: number): [Summary, Summary] {
  const filter = new ByteFilter(needles);
  const run = (splitter: RecordSplitter | CandidateSplitter) => {
    const bytes = Buffer.from(text);
    const found: (Split | Passed | Skipped)[] = [];
    for (let at = 0; at < bytes.length; at += chunk) {
      const part = splitter.push(bytes.subarray(at, Math.min(bytes.length, at + chunk)));
      found.push(...part.map((one) => (one.kind === 'record' ? { ...one, bytes: Buffer.from(one.bytes) } : one)));
    }
    return summaryOf([...found, ...splitter.end()], filter);
  };
  return [run(new CandidateSplitter(filter)), run(new RecordSplitter())];
}

const NEEDLE = 'CreateUser';
/** Long enough that how the file begins is known before it ends. */
const PAD = 'x'.repeat(80);
const event = (name: string, rest: Readonly<Record<string, unknown>> = {}) =>
  JSON.stringify({ eventVersion: '1.08', eventName: name, pad: PAD, ...rest });
const quiet = Array.from({ length: 30 }, (_, index) => event(`Describe${index}`));
const some = [...quiet, event(NEEDLE), ...quiet, event(NEEDLE), event(NEEDLE), ...quiet];
const nested = [1, 2, 3, 4].map((index) => ({ eventVersion: '1.08', eventName: index === 2 ? NEEDLE : 'x' }));

const SHAPES: readonly [string, (records: readonly string[]) => string][] = [
  ['Records', (records) => `{"Records":[${records.join(',')}]}`],
  ['a list', (records) => `[${records.join(',')}]\n`],
  ['one a line', (records) => records.join('\n')],
  ['Records one a line', (records) => `{"Records":[${records.join(',\n')}]}`],
  ['Records twice', (records) => `{"Records":[${records.join(',')}]}{"Records":[${records.join(',')}],"x":1}`],
  ['exported lines', (records) => records.map((record) => `2026-11-21T20:00:00.000Z ${record}`).join('\n')],
];

describe.each(SHAPES)('of %s', (_name, file) => {
  test.each([1, 7, 1_000, 5_000, Number.POSITIVE_INFINITY])('in chunks of %s bytes no record is lost', (chunk) => {
    const [ours, exact] = both(file(some), [[NEEDLE]], chunk);
    expect(ours).toEqual({ ...exact, cut: ours.cut });
    expect(ours.wanted.length).toBeGreaterThanOrEqual(3);
  });

  test('a record that holds others of its kind in a list is one record', () => {
    const records = [
      ...quiet,
      event('PutThem', { list: nested }),
      event('Deep', { a: { list: [[1], nested] } }),
      ...quiet,
    ];
    const [ours, exact] = both(file(records), [[NEEDLE]], 5_000);
    expect(ours).toEqual({ ...exact, cut: ours.cut });
    expect(ours.wanted.length).toBeGreaterThanOrEqual(2);
  });
});

test.each(SHAPES.slice(0, 3))('of %s records without a needle are passed over', (_name, file) => {
  const [ours, exact] = both(file(some), [[NEEDLE]], 5_000);
  expect(exact.cut).toBe(some.length);
  // Those with a needle, the first ones, by which it is told how the file looks, the last one, and what chunks cut in two.
  expect(ours.cut).toBeLessThan(20);
});

test('behind records that nobody counted it is told where counting begins anew', () => {
  const file = `{"Records":[${some.join(',')}]}`;
  const found = new CandidateSplitter(new ByteFilter([[NEEDLE]])).push(Buffer.from(file));
  const skipped = found.flatMap((one) => (one.kind === 'skipped' ? [file.slice(one.bytes)] : []));
  expect(skipped.map((rest) => rest.startsWith(`,${event(NEEDLE)}`))).toEqual([true, true, false]);
  expect(skipped[2]).toBe(`,${quiet.at(-1)}]}`);
});

test('a needle may be written by escapes', () => {
  const escaped = event('x').replace('"x"', '"\\u0043reate\\u0055ser"');
  const wrapped = JSON.stringify({ eventVersion: 1, CloudTrailEvent: '{"eventName":"\\u0043reateUser"}' });
  const slash = event('x').replace('"x"', '"user\\/bob"');
  const twice = `{"eventVersion":1,"CloudTrailEvent":"{\\"eventName\\":\\"\\u005cu0043reateUser\\"}"}`;
  const [ours] = both([...quiet, escaped, wrapped, slash, twice, ...quiet].join('\n'), [[NEEDLE, 'user/bob']], 5_000);
  expect(ours.wanted).toHaveLength(4);
});

test('a needle in any case may be written by escapes, and by what is one of its letters elsewhere', () => {
  const written = ['createuser', 'CREATEUSER', '\\u0063REATE\\u0055ser', 'createu\u017fer', 'create\\u0055\\u017FER'];
  const records = written.map((name) => event('x').replace('"x"', `"${name}"`));
  const [ours, exact] = both([...quiet, ...records, ...quiet].join('\n'), [[{ anyCase: 'createuser' }]], 5_000);
  expect(ours).toEqual({ ...exact, cut: ours.cut });
  expect(ours.wanted).toHaveLength(written.length);
  expect(ours.cut).toBeLessThan(20);
});

test('all conditions are met by the records that come out', () => {
  const records = [...quiet, event(NEEDLE), event(NEEDLE, { user: 'alice' }), event('x', { user: 'alice' }), ...quiet];
  const [ours, exact] = both(records.join('\n'), [[NEEDLE], ['alice', 'bob']], 5_000);
  expect(ours).toEqual({ ...exact, cut: ours.cut });
  expect(ours.wanted).toHaveLength(1);
});

test('a line that ends within a record and a file that ends too early are told', () => {
  const broken = event('Broken').slice(0, 60);
  for (const text of [[...quiet, broken, ...quiet].join('\n'), `{"Records":[${quiet.join(',')},${broken}`]) {
    const [ours, exact] = both(text, [[NEEDLE]], 5_000);
    expect(exact.malformed).toHaveLength(1);
    expect(ours.malformed).toEqual(exact.malformed);
  }
});

/** Made to look like a boundary, and like what opens a list. */
const text = fc.constantFrom(NEEDLE, '},{"eventVersion":', '[', ']', '[{"', '\n', '\\u0043', '"', '\\', '}]}', 'x');
const value = fc.letrec<{ readonly value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.oneof(
      text,
      fc.array(text, { maxLength: 4 }).map((parts) => parts.join('')),
      fc.integer(),
      fc.constant(null),
    ),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom('eventVersion', 'Records', 'a', '['), tie('value'), { maxKeys: 3 }),
  ),
})).value;
const record = fc.oneof(
  value.map((inner) => JSON.stringify({ eventVersion: '1', inner })),
  value.map((inner) => JSON.stringify({ other: inner, eventVersion: '1' })),
  fc.constant(event('x')),
);

test('whatever records hold, those are found that splitting byte by byte finds', () => {
  fc.assert(
    fc.property(
      fc.array(record, { maxLength: 12 }),
      fc.constantFrom(...SHAPES.map(([, file]) => file)),
      fc.integer({ min: 50, max: 3_000 }),
      (records, file, chunk) => {
        const [ours, exact] = both(file([...quiet.slice(0, 6), ...records, ...quiet.slice(0, 3)]), [[NEEDLE]], chunk);
        expect(ours).toEqual({ ...exact, cut: ours.cut });
      },
    ),
    { numRuns: 1_000 },
  );
});
