import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_RECORD_BYTES, RecordSplitter } from './record-splitter.ts';
import type { Split } from './split.ts';

function splits(text: string | Buffer, chunk = Number.POSITIVE_INFINITY): readonly Split[] {
  const bytes = Buffer.from(text);
  const splitter = new RecordSplitter();
  const found: Split[] = [];
  for (let at = 0; at < bytes.length; at += chunk) {
    const part = bytes.subarray(at, Math.min(bytes.length, at + chunk));
    // What is found must not depend on the chunk's memory once the next one has come.
    found.push(
      ...splitter.push(part).map((one) => (one.kind === 'record' ? { ...one, bytes: Buffer.from(one.bytes) } : one)),
    );
  }
  return [...found, ...splitter.end()];
}

/** Records as `line:text`, what is malformed as `line!reason`. */
function summary(found: readonly Split[]): readonly string[] {
  return found.map((one) =>
    one.kind === 'record'
      ? `${one.line}:${one.time === undefined ? '' : `${one.time}=`}${one.bytes.toString()}`
      : `${one.line}!${one.reason}${one.rest ? ', and the rest' : ''}`,
  );
}

const A = '{"a":1}';
const TRICKY = '{"k":"}{][\\"\\\\","Records ":[1],"l":[[{"Records":[{}]}]],"Records":{"Records":[{}]}}';

describe.each([Number.POSITIVE_INFINITY, 1, 3])('in chunks of %s bytes', (chunk) => {
  test.each<[string, string, readonly string[]]>([
    ['nothing', '', []],
    ['white space alone', ' \r\n\t\n', []],
    ['a byte order mark alone', '\uFEFF', []],
    ['one record', A, [`1:${A}`]],
    ['one a line', `${A}\n${A}\r\n\n${A}`, [`1:${A}`, `2:${A}`, `4:${A}`]],
    ['a byte order mark at the beginning', `\uFEFF${A}`, [`1:${A}`]],
    ['a byte order mark of every file that was put together', `\uFEFF${A}\n\uFEFF${A}`, [`1:${A}`, `2:${A}`]],
    ['one after the other without a break', `${A}${A}`, [`1:${A}`, `1:${A}`]],
    ['pretty-printed', '{\n "a": 1\n}\n{\n "a": 2\n}\n', ['1:{\n "a": 1\n}', '4:{\n "a": 2\n}']],
    ['strings that hold brackets and escapes', TRICKY, [`1:${TRICKY}`]],
    ['a list', `[${A}, ${A}\n,${A}]`, [`1:${A}`, `1:${A}`, `2:${A}`]],
    ['an empty list', '[ ]', []],
    ['Records', `{"Records":[${A},${A}]}`, [`1:${A}`, `1:${A}`]],
    ['Records that are none', '{"Records":[]}', []],
    ['Records, pretty-printed', `{\n  "Records": [\n    ${A},\n    ${A}\n  ]\n}\n`, [`3:${A}`, `4:${A}`]],
    [
      'Records behind other keys and before more',
      `{"x":[{"y":"]}"}],"Records":[${A}],"z":{"Records":[1]}}`,
      [`1:${A}`],
    ],
    ['Records twice', `{"Records":[${A}],"Records":[${A}]}`, [`1:${A}`, `1:${A}`]],
    ['Records one file after the other', `{"Records":[${A}]}{"Records":[${A}]}\n`, [`1:${A}`, `1:${A}`]],
    ['Records one a line', `{"Records":[${A}]}\n{"Records":[${A}]}`, [`1:${A}`, `2:${A}`]],
    [
      'pretty-printed Records that end with their last line',
      `{"Records":[\n${A}]}\n{"Records":[\n${A}]}`,
      [`2:${A}`, `4:${A}`],
    ],
    ['Records in a list', `[{"Records":[${A}]},{"Records":[${A}]},${A}]`, [`1:${A}`, `1:${A}`, `1:${A}`]],
    ['a record among Records that has Records', '{"Records":[{"Records":[{}]}]}', ['1:{"Records":[{}]}']],
    [
      'Records that are no list',
      '{"Records":null}{"Records":{"a":[]}}',
      ['1:{"Records":null}', '1:{"Records":{"a":[]}}'],
    ],
    ['Events, with more', `{"Events":[${A}, ${A}],"NextToken":"x"}`, [`1:${A}`, `1:${A}`]],
    [
      'longer and shorter keys',
      '{"Event":[{}],"EventsX":[{}],"Record":[{}]}',
      ['1:{"Event":[{}],"EventsX":[{}],"Record":[{}]}'],
    ],
    ['Records as a value', '{"a":"Records","b":[{}]}', ['1:{"a":"Records","b":[{}]}']],
    [
      "CloudWatch Logs' export",
      `2026-11-21T20:00:00.000Z ${A}\n2026-11-21T20:00:01.250Z ${A}\n`,
      [`1:2026-11-21T20:00:00.000Z=${A}`, `2:2026-11-21T20:00:01.250Z=${A}`],
    ],
  ])('%s', (_name, text, expected) => {
    expect(summary(splits(text, chunk))).toEqual(expected);
  });

  test.each<[string, string, readonly string[]]>([
    ['a line of text', `${A}\nhello {"b":2}\n${A}`, [`1:${A}`, '2!it is no JSON object', `3:${A}`]],
    ['text at the end of a file', `${A} x`, [`1:${A}`, '1!it is no JSON object']],
    ['a number', '12\n', ['1!it is no JSON object']],
    ['a time without a record', '2026-11-21T20:00:00.000Z START\n', ['1!it is no JSON object']],
    ['a date that is no time', `2026-11-21 ${A}\n${A}`, ['1!it is no JSON object', `2:${A}`]],
    ['digits without end', '1'.repeat(100), ['1!it is no JSON object']],
    ['the rest of a record whose beginning is missing', `a":1}\n${A}`, ['1!it is no JSON object', `2:${A}`]],
    ['a line that ends within a string', `${A}\n{"a":"b\n${A}\n`, [`1:${A}`, '2!a string is not closed', `3:${A}`]],
    [
      'a line that ends within an object',
      `${A}\n{"a":\n${A}\n`,
      [`1:${A}`, '2!the line ends within a record', `3:${A}`],
    ],
    [
      'a line that ends within Records',
      `{"Records":[${A}]}\n{"Records":[${A},\n${A}`,
      [`1:${A}`, `2:${A}`, '2!the line ends within a record', `3:${A}`],
    ],
    ['a file that ends within a record', `${A}\n{"a":`, [`1:${A}`, '2!the file ends within a record, and the rest']],
    [
      'a file that ends within Records',
      `{"Records":[${A},`,
      [`1:${A}`, '1!the file ends within a list of records, and the rest'],
    ],
    [
      'a file that ends behind its Records',
      `{"Records":[${A}]`,
      [`1:${A}`, '1!the file ends within a record, and the rest'],
    ],
    ['a list of texts', '["a"]', ['1!the list of records holds something else, and the rest']],
    ['a list without commas', `[${A}${A}]`, [`1:${A}`, '1!the list of records holds something else, and the rest']],
    ['a list in a list', '[[{}]]', ['1!the list of records holds something else, and the rest']],
    ['a string in Records that is not closed', '{"Records":[{"a":"\n', ['1!a string is not closed, and the rest']],
  ])('%s is malformed', (_name, text, expected) => {
    expect(summary(splits(text, chunk))).toEqual(expected);
  });
});

test('holds no record that is longer than any can be, and reads on behind it', () => {
  const long = `{"a":"${'x'.repeat(MAX_RECORD_BYTES)}"}`;
  expect(summary(splits(`${A}\n${long}\n${A}`, 65_536))).toEqual([
    `1:${A}`,
    '2!a record is longer than 16 MB',
    `3:${A}`,
  ]);
});

const json = fc.json({ maxDepth: 4 });
const record = fc.dictionary(
  fc.oneof(fc.string(), fc.constant('Record'), fc.constant('a"\\')),
  fc.oneof(
    json.map((text): unknown => JSON.parse(text)),
    fc.string(),
  ),
  // A pretty-printed record without keys has one line, and lines would be taken for records from then on.
  { minKeys: 1, maxKeys: 4 },
);

test('finds any records in any of the shapes, whatever the chunks', () => {
  fc.assert(
    fc.property(
      fc.array(record, { maxLength: 5 }),
      fc.constantFrom('lines', 'pretty', 'list', 'pretty list', 'Records', 'pretty Records', 'enclosed'),
      fc.integer({ min: 1, max: 40 }),
      (records, shape, chunk) => {
        const text = {
          lines: () => records.map((one) => `${JSON.stringify(one)}\n`).join(''),
          pretty: () => records.map((one) => JSON.stringify(one, null, 2)).join('\n'),
          list: () => JSON.stringify(records),
          'pretty list': () => JSON.stringify(records, null, '\t'),
          Records: () => JSON.stringify({ Records: records }),
          'pretty Records': () => JSON.stringify({ Records: records }, null, 2),
          enclosed: () => JSON.stringify([{ a: [{}], Records: records, b: { Records: [1] } }]),
        }[shape]();
        const found = splits(text, chunk);
        expect(
          found.map((one) => (one.kind === 'record' ? (JSON.parse(one.bytes.toString()) as unknown) : one)),
        ).toEqual(JSON.parse(JSON.stringify(records)));
      },
    ),
    { numRuns: 1000 },
  );
});
