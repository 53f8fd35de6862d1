import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Column } from '../../catalog/table.ts';
import { copyLine } from '../../hydrate/copy-text.ts';
import { compileRow } from '../../hydrate/row.ts';
import type { LinePlan } from './line-plan.ts';
import { parseChunks, prepare } from './parse-chunks.ts';

const COLUMNS: readonly Column[] = [
  { name: 'a', path: 'eventName' },
  { name: 'b', path: 'userIdentity.arn' },
  { name: 'c', path: '@file_line' },
].map((column) => ({ ...column, attnum: 1, type: 'text', typeOid: 25, notNull: false, operators: [], comment: '' }));
const PLAN: LinePlan = [
  { kind: 'value', path: ['eventName'], type: 'text' },
  { kind: 'value', path: ['userIdentity', 'arn'], type: 'text' },
  { kind: 'line' },
];

async function* chunksOf(bytes: Buffer, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** All rows in no order, and what is said of the rest. */
async function readBy(lines: LinePlan | undefined, text: string, chunk: number) {
  const { toRow } = compileRow('t', COLUMNS);
  const rows: string[] = [];
  const malformed: unknown[] = [];
  let copied = 0;
  let last = 0;
  for await (const batch of parseChunks(chunksOf(Buffer.from(text), chunk), prepare({ needles: [], lines }))) {
    for (const { value, line, number } of batch.records) {
      rows.push(copyLine(toRow({ value, added: { file_line: line }, origin: () => '' })));
      last = number;
    }
    if (batch.copied !== undefined) {
      rows.push(
        ...Buffer.from(batch.copied.bytes)
          .toString()
          .split(/(?<=\n)/),
      );
      copied += batch.copied.rows;
    }
    malformed.push(...batch.malformed.map(({ line, reason }) => `${line}: ${reason}`));
  }
  return { rows: rows.sort(), malformed, copied, last };
}

async function both(text: string, chunk: number) {
  const [exact, ours] = [await readBy(undefined, text, chunk), await readBy(PLAN, text, chunk)];
  expect({ rows: ours.rows, malformed: ours.malformed }).toEqual({ rows: exact.rows, malformed: exact.malformed });
  return { exact, ours };
}

const event = (name: string, arn = 'arn:1') =>
  JSON.stringify({ eventName: name, userIdentity: { arn }, x: [{ eventName: 'no' }] });
const SHAPES: readonly ((records: readonly string[]) => string)[] = [
  (records) => `{"Records":[${records.join(',')}],"more":1}`,
  (records) => `{"Records":[${records.join(', ')}]}`,
  (records) => `[${records.join(',\n')}]`,
  (records) => records.join('\n'),
  (records) => `${records.join('\r\n')}\n`,
  (records) => records.join('\n\n'),
  (records) => records.join(''),
  (records) => `{"Records":[${records.join(',')}]}\n{"Events":[${records.join(',')}]}`,
];

test('nearly all rows are written while records are split, and the number of a record that is not is known', async () => {
  const records = Array.from({ length: 100 }, (_, index) => event(`e${index}`, index === 70 ? 'a"b' : 'arn'));
  for (const shape of SHAPES.slice(0, 2)) {
    const { ours } = await both(shape(records), 100_000);
    expect(ours).toMatchObject({ copied: 99, last: 71 });
  }
  const { ours } = await both(records.join('\n'), 100_000);
  expect(ours).toMatchObject({ copied: 99, last: 71 });
});

test('what is malformed between records is told with its line, and the records around it come', async () => {
  const records = [event('a'), event('b'), '{"eventName":x}', event('c').slice(0, -1), event('d'), 'none', event('e')];
  const { ours } = await both(records.join('\n'), 100_000);
  expect(ours.malformed).toHaveLength(3);
  expect(ours.rows).toHaveLength(4);
});

const name = fc.constantFrom('A', 'é', 'a"b', '\\', '\n', '},{', '\u0000', '');
const record = fc.oneof(
  fc.tuple(name, name).map(([one, other]) => event(one, other)),
  fc.constantFrom(
    '{}',
    '{"eventName":"A","eventName":"B"}',
    '{"eventName":{"a":1}}',
    '{"eventName":\n"A"}',
    '{"detail-type":"x","detail":{"eventName":"B"}}',
    '{"CloudTrailEvent":"{\\"eventName\\":\\"C\\"}"}',
    '{"Records":[{"eventName":"D"},{"eventName":"E"}]}',
    '2026-11-21T20:00:00.000Z {"eventName":"F"}',
    '{"eventName":"A"',
    '{"eventName":01}',
    '[1]',
    'x',
    '',
  ),
);

test('whatever stands in a file, its rows are those of splitting and parsing each record', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(record, { maxLength: 10 }),
      fc.constantFrom(...SHAPES),
      fc.integer({ min: 1, max: 400 }),
      async (records, shape, chunk) => {
        await both(shape(records), chunk);
      },
    ),
    { numRuns: 2_000 },
  );
});
