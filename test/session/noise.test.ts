import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLogger } from '../../src/kernel/log.ts';
import { encodeCancelRequest } from '../../src/wire/frontend/cancel-request.ts';
import { encodeCopyData } from '../../src/wire/frontend/copy-data.ts';
import { encodeCopyDone } from '../../src/wire/frontend/copy-done.ts';
import { encodeGSSENCRequest } from '../../src/wire/frontend/gssenc-request.ts';
import { encodeSASLInitialResponse } from '../../src/wire/frontend/sasl-initial-response.ts';
import { encodeSSLRequest } from '../../src/wire/frontend/ssl-request.ts';
import { encodeStartupMessage } from '../../src/wire/frontend/startup-message.ts';
import { DATABASE, USER } from './support/engine.ts';
import { openTestEndpoint, type TestEndpoint } from './support/endpoint.ts';
import { say } from './support/transcript.ts';
import { connectTcp } from './support/wire-client.ts';

/** Bytes that were a conversation once: whatever comes, nothing of ours breaks, and everybody else is served. */

const RUNS = 120;

let endpoint: TestEndpoint;
/** What the server says of itself: of defects of ours. */
const defects: string[] = [];
beforeAll(async () => {
  endpoint = await openTestEndpoint({ log: createLogger('warn', { write: (line) => void defects.push(line) }) });
});
afterAll(() => endpoint.close());

const startup = encodeStartupMessage({
  version: { major: 3, minor: 2 },
  parameters: [
    ['user', USER],
    ['database', DATABASE],
    ['options', '-c geqo=off'],
  ],
});
const BEFORE_LOGIN = [
  [encodeGSSENCRequest(), encodeSSLRequest(), startup],
  [startup, encodeSASLInitialResponse({ mechanism: 'SCRAM-SHA-256', response: Buffer.from('n,,n=,r=abcdefgh') })],
  [encodeCancelRequest({ pid: 1, key: Buffer.alloc(4) })],
].map((messages) => Buffer.concat(messages));

const { query, parse, bind, describe, execute, close, sync, flush } = say;
const AFTER_LOGIN = [
  [query('select x from virtual_demo'), query('select 1; select x from virtual_demo'), query('')],
  [
    parse('select x from virtual_demo where x > $1', 's'),
    describe('S', 's'),
    flush(),
    bind(['1'], 's'),
    execute(1),
    sync(),
  ],
  [query('begin'), parse('select x from virtual_demo'), bind([], '', 'p'), execute(1, 'p'), close('P', 'p'), sync()],
  [
    query('create temp table t (a int); copy t from stdin; select x from virtual_demo'),
    encodeCopyData({ data: Buffer.from('1\n2\n') }),
    sync(),
    encodeCopyDone(),
  ],
].map((messages) => Buffer.concat(messages));

interface Damage {
  readonly at: number;
  readonly kind: 'byte' | 'cut' | 'twice' | 'length';
  readonly value: number;
}
const damage: fc.Arbitrary<readonly Damage[]> = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    kind: fc.constantFrom('byte', 'cut', 'twice', 'length'),
    value: fc.nat(255),
  }),
  { maxLength: 4 },
);

function damaged(bytes: Buffer, damages: readonly Damage[]): Buffer {
  let result: Buffer = Buffer.from(bytes);
  for (const { at, kind, value } of damages) {
    const place = Math.floor(at * result.length);
    const parts = { before: result.subarray(0, place), after: result.subarray(place) };
    if (kind === 'byte') result[place] = value;
    else if (kind === 'cut') result = Buffer.concat([parts.before, parts.after.subarray(value % 7)]);
    else if (kind === 'twice') result = Buffer.concat([parts.before, parts.after.subarray(0, value), parts.after]);
    else result = Buffer.concat([parts.before, Buffer.from([0, 0, 0, value]), parts.after.subarray(4)]);
  }
  return result;
}

/** In two writes, then the end; until the server has closed its side as well. */
async function make(noise: Buffer, cut: number, connect: () => Promise<Duplex>): Promise<void> {
  const stream = await connect();
  const closed = once(stream, 'close').catch(() => undefined);
  stream.on('error', () => stream.destroy());
  stream.resume();
  const middle = Math.floor(cut * noise.length);
  stream.write(noise.subarray(0, middle));
  await new Promise((resolve) => setImmediate(resolve));
  stream.end(noise.subarray(middle));
  await closed;
}

test.each([
  ['before a log-in', BEFORE_LOGIN, () => connectTcp(endpoint.port)],
  ['after it', AFTER_LOGIN, async () => (await endpoint.connect()).stream],
] as const)(
  'noise %s harms nobody',
  async (_when, streams, connect) => {
    const other = await endpoint.connect();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...streams),
        damage,
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (bytes, damages, cut) => {
          await make(damaged(bytes, damages), cut, connect);
          expect(defects).toEqual([]);
        },
      ),
      { numRuns: RUNS },
    );
    other.send(query('select x from virtual_demo'));
    expect((await other.until('Z')).map(({ type }) => type).join('')).toBe('TDDDCZ');
    other.close();
    await expect.poll(() => endpoint.server.connections).toBe(0);
    const backends = "select from pg_stat_activity where usename = 'hunter'";
    await expect.poll(async () => (await endpoint.engine.pool.query(backends)).rowCount).toBe(0);
  },
  120_000,
);
