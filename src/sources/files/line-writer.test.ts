import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Column } from '../../catalog/table.ts';
import { copyLine } from '../../hydrate/copy-text.ts';
import { copiedRows } from '../../hydrate/copied-rows.ts';
import { compileRow } from '../../hydrate/row.ts';
import type { ScanRequest } from '../source.ts';
import { type Place, linePlanOf } from './line-plan.ts';
import { LineWriter } from './line-writer.ts';

function column(name: string, type: string, path: string): Column {
  return { name, attnum: 1, type, typeOid: 0, notNull: false, path, operators: [], comment: '' };
}

const COLUMNS = [
  column('event_name', 'text', 'eventName'),
  column('event_time', 'timestamp with time zone', 'eventTime'),
  column('timestamp', 'timestamp with time zone', '@timestamp'),
  column('read_only', 'boolean', 'readOnly'),
  column('user_arn', 'text', 'userIdentity.arn'),
  column('path', 'text', '@path'),
  column('region', 'text', '@region'),
  column('file_line', 'bigint', '@file_line'),
  column('log_group_name', 'text', '@log_group_name'),
];
const PLACE: Place = { path: '/evidence/é.json', region: 'eu-west-1' };

function writerOf(columns = COLUMNS, place = PLACE): LineWriter | undefined {
  const plan = linePlanOf({ columns, copied: true } as unknown as ScanRequest);
  return plan && new LineWriter(plan).at(place);
}

/** The row of a record; undefined where it is left to JSON.parse. */
function written(text: string): string | undefined {
  const writer = writerOf() as LineWriter;
  const bytes = Buffer.from(text);
  if (writer.write(bytes, 0, 7, false) < 0) return undefined;
  const copied = writer.take();
  expect(copied?.rows).toBe(1);
  return Buffer.from(copied?.bytes ?? []).toString('utf8');
}

function parsed(text: string): string {
  const value = JSON.parse(text) as Record<string, unknown>;
  const added = { ...PLACE, file_line: 7, timestamp: value['eventTime'] };
  return copyLine(compileRow('t', COLUMNS).toRow({ value, added, origin: () => '' }));
}

test('a row is what would be made of the parsed record', () => {
  for (const record of [
    {
      eventName: 'A',
      eventTime: '2026-11-21T20:00:00Z',
      readOnly: true,
      userIdentity: { arn: 'é😀 "x'.replace('"', '') },
    },
    { eventName: '', eventTime: null, readOnly: 'false', userIdentity: { arn: 12 } },
    { eventName: true, readOnly: null, userIdentity: 'none' },
    { eventSource: 'x' },
  ]) {
    const text = JSON.stringify(record);
    expect(written(text)).toBe(parsed(text));
  }
});

test.each([
  ['an escape', { eventName: 'a"b' }],
  ['an object', { eventName: {} }],
  ['a number that is written in several ways', { eventName: 1.5 }],
  ['a time of another form', { eventTime: '2026-11-21 20:00:00.123' }],
  ['a time that is none', { eventTime: '2026-02-30T20:00:00Z' }],
  ['a boolean that is none', { eventName: 'A', readOnly: 'maybe' }],
  ['an empty text in the place of a boolean', { eventName: 'A', readOnly: '' }],
  ['what has none of the fields that events have', { readOnly: true }],
  ['what has nothing in them', { eventName: null, eventTime: null, eventSource: null }],
])('%s is left to who parses it', (_what, record) => {
  expect(written(JSON.stringify(record))).toBeUndefined();
});

test('what is no UTF-8 is left to who parses it, and nothing of it stays', () => {
  const writer = writerOf() as LineWriter;
  const good = Buffer.from('{"eventName":"A"}');
  const bad = Buffer.concat([Buffer.from('{"eventName":"'), Buffer.from([0xff]), Buffer.from('"}')]);
  expect(writer.write(good, 0, 1, true)).toBe(good.length);
  expect(writer.write(bad, 0, 1, false)).toBe(-1);
  expect(writer.write(Buffer.from('{"eventName":"B","readOnly":"maybe"}'), 0, 1, true)).toBe(-1);
  expect(writer.write(good, 0, 2, true)).toBe(good.length);
  const copied = writer.take();
  expect(copiedRows(copied ?? { bytes: Buffer.alloc(0), rows: 0 }, COLUMNS.length).map((row) => row[0])).toEqual([
    'A',
    'A',
  ]);
  expect(writer.take()).toBeUndefined();
});

test('a column of JSON, of the whole record or of a type that is not written needs records', () => {
  expect(writerOf([column('c', 'jsonb', 'requestParameters')])).toBeUndefined();
  expect(writerOf([column('c', 'jsonb', '@record')])).toBeUndefined();
  expect(writerOf([column('c', 'inet', 'sourceIPAddress')])).toBeUndefined();
});

test('so does a path that COPY would read otherwise', () => {
  expect(writerOf(COLUMNS, { path: '/evidence/a\\b.json' })).toBeUndefined();
  expect(writerOf(COLUMNS, { path: '/evidence/a\tb.json' })).toBeUndefined();
});

test('when the newest of the events happened is known, whether or not the time is a column', () => {
  const writer = writerOf([column('event_name', 'text', 'eventName')]) as LineWriter;
  for (const time of ['2026-11-20T20:00:00Z', '2026-11-21T20:00:00Z', '2026-11-21T19:59:59Z', undefined]) {
    const bytes = Buffer.from(JSON.stringify({ eventName: 'A', eventTime: time }));
    expect(writer.write(bytes, 0, 1, true)).toBe(bytes.length);
  }
  expect(writer.take()).toMatchObject({ rows: 4, newest: '2026-11-21T20:00:00Z' });
  const other = Buffer.from('{"eventName":"A","eventTime":"yesterday"}');
  expect(writer.write(other, 0, 1, true)).toBe(-1);
  expect(writer.write(Buffer.from('{"eventName":1}'), 0, 1, true)).toBe(15);
  expect(writer.take()?.newest).toBe('');
});

test('longer rows than before find their place', () => {
  const long = JSON.stringify({ eventName: 'x'.repeat(300_000), userIdentity: { arn: 'y'.repeat(300_000) } });
  expect(written(long)).toBe(parsed(long));
});

const text = fc.string({ unit: fc.constantFrom('a', 'é', '😀', '"', '\\', '\t', '\n', '\0', '\ud800', ' ', 'N', '.') });
const time = fc.oneof(
  text,
  fc.constantFrom(
    '2026-11-21T20:00:00Z',
    '2024-02-29T23:59:59Z',
    '2023-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '0000-01-01T00:00:00Z',
  ),
  fc.constantFrom(
    '2026-12-31T24:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01T00:00:60Z',
    '2026-01-01',
  ),
);
const scalar = fc.oneof(
  text,
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
);
const record = fc.record(
  {
    eventName: scalar,
    eventSource: fc.constantFrom('iam.amazonaws.com', null),
    eventTime: fc.oneof(time, scalar),
    readOnly: fc.oneof(fc.boolean(), fc.constantFrom('true', 'false', 'True', ''), scalar),
    userIdentity: fc.oneof(fc.record({ arn: scalar }), scalar),
    requestParameters: fc.anything(),
  },
  { requiredKeys: [] },
);

test('whatever a record holds, its row is left out or what would be made of it', () => {
  let rows = 0;
  fc.assert(
    fc.property(record, (one) => {
      const json = JSON.stringify(one, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
      const row = written(json);
      if (row === undefined) return;
      rows += 1;
      expect(row).toBe(parsed(json));
    }),
    { numRuns: 3_000 },
  );
  expect(rows).toBeGreaterThan(50);
});
