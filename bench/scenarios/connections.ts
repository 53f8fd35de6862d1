import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeQuery } from '../../src/wire/frontend/query.ts';
import { encodeStartupMessage } from '../../src/wire/frontend/startup-message.ts';
import { encodeTerminate } from '../../src/wire/frontend/terminate.ts';
import { logIn, WireClient } from '../../test/session/support/wire-client.ts';
import { atMost, mebibytes, type Figure, type Scenario } from '../figure.ts';
import { residentBytes } from '../processes.ts';
import { withServer, type ServerProcess } from '../server-process.ts';

const FEW = 1_000;
const MANY = 10_000;
const AT_ONCE = 8;
const GROWTH = 1.05;
/** Backends of clients that were killed end when PostgreSQL notices; memory is given back a while later. */
const SETTLE_MS = 10_000;

/**
 * Half say goodbye, a quarter leave half-way through log-in, a quarter are killed while a statement runs, which PostgreSQL
 * runs to its end before it notices.
 */
const LEAVINGS = ['terminate', 'log-in', 'terminate', 'killed'] as const;

interface State {
  readonly resident: number;
  readonly descriptors: number;
  readonly backends: number;
}

/** Clients that come and go. */
export const connections: Scenario = {
  name: 'connections',
  run: () =>
    withServer({}, async (server) => {
      await cycles(server, FEW);
      const few = await settled(server);
      await cycles(server, MANY - FEW);
      const many = await settled(server);
      return [
        figure('memory of the server', few.resident, many.resident, mebibytes),
        figure('descriptors', few.descriptors, many.descriptors, String),
        figure('backends', few.backends, many.backends, String),
      ];
    }),
};

function figure(what: string, few: number, many: number, show: (value: number) => string): Figure {
  return {
    name: `connections: ${what}`,
    measured: `${show(many)} after ${MANY}`,
    baseline: `${show(few)} after ${FEW}`,
    result: (many / few).toFixed(2),
    bound: atMost(many / few, GROWTH),
  };
}

async function cycles(server: ServerProcess, count: number): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const leaving = LEAVINGS[next % LEAVINGS.length]!;
      next += 1;
      await cycle(server, leaving);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function cycle(server: ServerProcess, leaving: (typeof LEAVINGS)[number]): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port: server.port, noDelay: true });
  await once(socket, 'connect');
  const client = new WireClient(socket);
  const { database, password } = server;
  if (leaving === 'log-in') {
    client.send(
      encodeStartupMessage({
        version: { major: 3, minor: 0 },
        parameters: [
          ['user', 'trailhound'],
          ['database', database],
        ],
      }),
    );
    await client.until('R');
    return gone(socket);
  }
  const messages = await logIn(client, { user: 'trailhound', password, database });
  if (messages.at(-1)?.type !== 'Z') throw new Error('a client could not log in');
  client.send(encodeQuery({ text: 'select 1' }));
  await client.until('Z');
  if (leaving === 'killed') {
    client.send(encodeQuery({ text: 'select pg_sleep(0.5)' }));
    // Until it has been written.
    await new Promise((resolve) => setImmediate(resolve));
    return gone(socket);
  }
  client.send(encodeTerminate());
  await client.closed;
}

/** With a reset, as a process that was killed. */
async function gone(socket: Socket): Promise<void> {
  const closed = once(socket, 'close');
  socket.resetAndDestroy();
  await closed;
}

/** What is left when all of them are gone. */
async function settled(server: ServerProcess): Promise<State> {
  await sleep(SETTLE_MS);
  const client = await server.connect();
  try {
    const { rows } = await client.query<{ n: number }>(
      `select count(*)::int as n from pg_stat_activity where backend_type = 'client backend'`,
    );
    return {
      resident: await residentBytes(server.pid),
      descriptors: (await readdir(`/proc/${server.pid}/fd`)).length,
      backends: rows[0]!.n,
    };
  } finally {
    await client.end();
  }
}
