import fc from 'fast-check';
import { expect, test } from 'vitest';
import { valueEnd } from './json-value.ts';
import { RecordExtractor } from './record-extractor.ts';

const PATHS = [
  ['eventName'],
  ['userIdentity'],
  ['userIdentity', 'arn'],
  ['userIdentity', 'session', 'issuer', 'arn'],
  ['x'],
];

/** By path, what JSON.parse makes of the bytes; undefined where nothing was extracted. */
function extracted(text: string, at = 0): unknown[] | undefined {
  const extractor = new RecordExtractor(PATHS);
  const bytes = Buffer.from(text);
  if (extractor.extract(bytes, at) !== bytes.length) return undefined;
  return PATHS.map((_path, leaf) => {
    const [from, to] = [extractor.starts[leaf] as number, extractor.ends[leaf] as number];
    return from < 0 ? undefined : (JSON.parse(bytes.toString('utf8', from, to)) as unknown);
  });
}

function parsed(text: string): unknown[] {
  const record = JSON.parse(text) as unknown;
  return PATHS.map((path) =>
    path.reduce<unknown>(
      (value, name) =>
        typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined,
      record,
    ),
  );
}

test('values are found at their paths, in any order of keys, with spaces or without', () => {
  for (const text of [
    '{"eventName":"A","userIdentity":{"arn":"a","session":{"issuer":{"arn":"b"}}},"x":[1,{"eventName":"no"}]}',
    '{ "x" : null , "userIdentity" : { "session" : { "issuer" : {"arn" : 1e2 } } , "arn" : true } , "eventName" : "A" }',
    '{"y":{"eventName":"no"},"userIdentity":"none","x":{}}',
    '{}',
  ]) {
    expect(extracted(text)).toEqual(parsed(text));
  }
});

test.each([
  ['a name that comes twice', '{"eventName":"A","eventName":"B"}'],
  ['an object that comes twice', '{"userIdentity":{"arn":"a"},"userIdentity":{}}'],
  ['an escape in a name', '{"event\\u004eame":"A"}'],
  ['an escape in a name within', '{"userIdentity":{"a\\u0072n":"a"}}'],
  ['EventBridge’s envelope', '{"detail-type":"AWS API Call via CloudTrail","detail":{"eventName":"A"}}'],
  ['what LookupEvents gives', '{"eventName":"B","CloudTrailEvent":"{}"}'],
  ['a list of records', '{"Records":[{"eventName":"A"}]}'],
  ['a record in two lines', '{"eventName":"A",\n"x":1}'],
  ['what is nested too deeply', `{"x":${'['.repeat(100)}${']'.repeat(100)}}`],
  ['what is no object', '["eventName"]'],
])('%s is left to JSON.parse', (_what, text) => {
  expect(extracted(text)).toBeUndefined();
});

const names = fc.constantFrom('eventName', 'userIdentity', 'arn', 'session', 'issuer', 'x', 'eventNam', 'Records2', '');
const hostile = fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', 'a', 'é', '😀', '\u0000', '\n', '/');
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.string({ unit: hostile }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(names, tie('value'), { maxKeys: 4 }),
  ),
}));
const record = fc.dictionary(names, value, { maxKeys: 6 });

test('what is extracted is what JSON.parse says, whatever a record holds', () => {
  fc.assert(
    fc.property(record, fc.boolean(), (one, spaced) => {
      const text = spaced ? JSON.stringify(one, undefined, ' ').replaceAll('\n', '') : JSON.stringify(one);
      expect(extracted(text)).toEqual(parsed(text));
    }),
    { numRuns: 2_000 },
  );
});

test('bytes that are taken for a value are one for JSON.parse, wherever they were changed or cut', () => {
  let accepted = 0;
  fc.assert(
    fc.property(
      record,
      fc.nat(),
      fc.constantFrom('', '"', '\\', '{', ']', ',', ':', '0', '-', '.', 'e', 'n', ' ', '\u0001'),
      (one, place, put) => {
        const text = JSON.stringify(one);
        const at = place % (text.length + 1);
        const changed = Buffer.from(text.slice(0, at) + put + text.slice(at + 1));
        const end = valueEnd(changed, 0);
        if (end < 0) return;
        accepted += 1;
        JSON.parse(changed.toString('utf8', 0, end));
        if (end === changed.length) {
          const found = extracted(changed.toString());
          if (found !== undefined) expect(found).toEqual(parsed(changed.toString()));
        }
      },
    ),
    { numRuns: 5_000 },
  );
  expect(accepted).toBeGreaterThan(500);
});
