import { existsSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { abortable } from '../../src/kernel/abort.ts';
import { decodeErrorResponse } from '../../src/wire/backend/error-response.ts';
import { encodeSASLInitialResponse } from '../../src/wire/frontend/sasl-initial-response.ts';
import { encodeSSLRequest } from '../../src/wire/frontend/ssl-request.ts';
import { encodeStartupMessage } from '../../src/wire/frontend/startup-message.ts';
import { encodeTerminate } from '../../src/wire/frontend/terminate.ts';
import { DATABASE, PASSWORD, USER } from './support/engine.ts';
import { openTestEndpoint, type TestEndpoint } from './support/endpoint.ts';
import { say } from './support/transcript.ts';
import { connectTcp, logIn, WireClient } from './support/wire-client.ts';

const LIMIT = 100;
const CROWD = 500;
const ROUNDS = 20;

let endpoint: TestEndpoint;
beforeAll(async () => {
  endpoint = await openTestEndpoint({ limits: { maxConnections: LIMIT } });
  // All connections of the server's own.
  await Promise.all(Array.from({ length: 8 }, () => endpoint.engine.pool.query('select pg_sleep(0.1)')));
});
afterAll(() => endpoint.close());
beforeEach(() => endpoint.pipeline.reset());

const startup = encodeStartupMessage({
  version: { major: 3, minor: 0 },
  parameters: [
    ['user', USER],
    ['database', DATABASE],
  ],
});

async function enter(): Promise<{ client: WireClient; outcome: string }> {
  const client = new WireClient(await connectTcp(endpoint.port));
  const messages = await logIn(client, { user: USER, password: PASSWORD, database: DATABASE });
  const refusal = messages.find(({ type }) => type === 'E');
  if (refusal === undefined) return { client, outcome: messages.at(-1)?.type === 'Z' ? 'in' : 'closed' };
  return { client, outcome: decodeErrorResponse(refusal.payload).fields.get('C') ?? '' };
}

async function backends(): Promise<number> {
  const { rowCount } = await endpoint.engine.pool.query('select from pg_stat_activity where usename = $1', [USER]);
  return rowCount ?? 0;
}

/** Of this process; 0 where the system does not tell. */
function descriptors(): number {
  return existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0;
}

async function expectNobody(before: number): Promise<void> {
  await expect.poll(backends).toBe(0);
  await expect.poll(() => endpoint.server.connections).toBe(0);
  await expect.poll(descriptors).toBeLessThanOrEqual(before);
}

test(`of ${String(CROWD)} clients at once each is served, or told that there are too many`, async () => {
  const before = descriptors();
  const entered = await Promise.all(Array.from({ length: CROWD }, enter));
  const served = entered.filter(({ outcome }) => outcome === 'in');
  expect(new Set(entered.map(({ outcome }) => outcome))).toEqual(new Set(['in', '53300']));
  expect(served.length).toBeLessThanOrEqual(LIMIT);
  const rows = await Promise.all(
    served.map(async ({ client }) => {
      client.send(say.query('select x from virtual_demo'));
      return (await client.until('Z')).filter(({ type }) => type === 'D').length;
    }),
  );
  expect(rows.every((count) => count === 3)).toBe(true);
  for (const { client } of entered) client.close();
  await expectNobody(before);
});

async function saidAndLeft(bytes: Buffer): Promise<void> {
  const socket = await connectTcp(endpoint.port);
  // What is not read keeps a socket open.
  socket.resume();
  socket.end(bytes);
}

/** Every point at which a client may leave. */
const LEAVING: readonly (readonly [at: string, leave: () => Promise<unknown>])[] = [
  ['before a word', async () => (await connectTcp(endpoint.port)).destroy()],
  ['in the middle of a start-up packet', async () => saidAndLeft(startup.subarray(0, 11))],
  ['after SSLRequest', async () => saidAndLeft(encodeSSLRequest())],
  [
    'when it is asked for a password',
    async () => {
      const client = new WireClient(await connectTcp(endpoint.port));
      client.send(startup);
      await client.until('R');
      client.close();
    },
  ],
  [
    'in the middle of SCRAM',
    async () => {
      const client = new WireClient(await connectTcp(endpoint.port));
      client.send(startup);
      await client.until('R');
      client.send(encodeSASLInitialResponse({ mechanism: 'SCRAM-SHA-256', response: Buffer.from('n,,n=,r=abc') }));
      await client.until('R');
      client.close();
    },
  ],
  ['by Terminate', async () => (await enter()).client.send(encodeTerminate())],
  ['without a word', async () => (await enter()).client.close()],
  [
    'in the middle of a message',
    async () => (await enter()).client.stream.end(say.query('select x from virtual_demo').subarray(0, 9)),
  ],
  [
    'in the middle of a batch',
    async () => (await enter()).client.stream.end(Buffer.concat([say.parse('select 1'), say.bind(), say.execute()])),
  ],
  [
    'in the middle of a hydration',
    async () => {
      endpoint.pipeline.options.hydrate = ({ signal }) => abortable(new Promise<number[]>(() => undefined), signal);
      const { client } = await enter();
      const asked = endpoint.pipeline.requests.length;
      client.send(say.query('select x from virtual_demo'));
      while (endpoint.pipeline.requests.length === asked) await new Promise((resolve) => setTimeout(resolve, 1));
      client.close();
    },
  ],
  [
    'in the middle of its rows',
    async () => {
      const { client } = await enter();
      client.send(say.query("select repeat('x', 1000000) from generate_series(1, 100)"));
      await client.until('D');
      client.close();
    },
  ],
];

test.each(LEAVING)(`clients that leave %s leave nothing behind`, async (_at, leave) => {
  const { client } = await enter();
  client.close();
  await expectNobody(Number.POSITIVE_INFINITY);
  const before = descriptors();
  for (let round = 0; round < ROUNDS; round += 1) await leave();
  await expectNobody(before);
  expect(endpoint.pipeline.requests.every(({ signal }) => signal.aborted)).toBe(true);
});
