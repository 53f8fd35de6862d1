import type { Socket } from 'node:net';
import { Client } from 'pg';
import { startForeignServer } from '../../test/engine/support/foreign-server.ts';
import { removeTemporaryDirectories } from '../../test/engine/support/temporary-directory.ts';
import { median, timed, type Figure, type Scenario } from '../figure.ts';
import { withServer } from '../server-process.ts';
import { encodeQuery } from '../../src/wire/frontend/query.ts';

const ROUNDS = 20;
const STATEMENTS_A_ROUND = 200;
const TRANSFERS = 7;
const ROWS = 100_000;

const RESULT = `select g, md5(g::text), 'arn:aws:sts::111122223333:assumed-role/worker/worker', now() from generate_series(1, ${ROWS}) g`;

/** What names no virtual table, through us and directly: TCP on loopback, SCRAM, no TLS, on both roads. */
export const relay: Scenario = {
  name: 'relay',
  run: async () => {
    const engine = await startForeignServer({ maxConnections: 300 });
    try {
      const engineUrl = `postgres://postgres:${encodeURIComponent(engine.password)}@127.0.0.1:${engine.port}/postgres`;
      return await withServer({ engineUrl }, async (server) => {
        const through = await server.connect();
        const direct = new Client({
          host: '127.0.0.1',
          port: engine.port,
          user: 'trailhound',
          password: server.password,
          database: through.database!,
        });
        await direct.connect();
        try {
          return [
            await compare('select 1', through, direct, (client) => client.query('select 1')),
            await compare('select $1::int, prepared', through, direct, (client) =>
              client.query({ name: 'prepared', text: 'select $1::int', values: [1] }),
            ),
            // Last: these connections are not for pg any more afterwards.
            await compareTransfers(through, direct),
          ];
        } finally {
          await Promise.all([through.end(), direct.end()]);
        }
      });
    } finally {
      await engine.stop();
      await removeTemporaryDirectories();
    }
  },
};

async function compare(
  name: string,
  through: Client,
  direct: Client,
  run: (client: Client) => Promise<unknown>,
): Promise<Figure> {
  const times = new Map<Client, number[]>([
    [direct, []],
    [through, []],
  ]);
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [client, list] of times) {
      for (let n = 0; n < STATEMENTS_A_ROUND; n += 1) {
        const ms = await timed(() => run(client));
        // The first round warms up.
        if (round > 0) list.push(ms * 1000);
      }
    }
  }
  const [without, withUs] = [median(times.get(direct)!), median(times.get(through)!)];
  return {
    name: `relay: ${name}`,
    measured: `${withUs.toFixed(0)} µs`,
    baseline: `${without.toFixed(0)} µs directly`,
    result: `+${(withUs - without).toFixed(0)} µs`,
  };
}

async function compareTransfers(through: Client, direct: Client): Promise<Figure> {
  const rates = new Map<Client, number[]>([
    [direct, []],
    [through, []],
  ]);
  for (let run = 0; run <= TRANSFERS; run += 1) {
    for (const [client, list] of rates) {
      let bytes = 0;
      const ms = await timed(async () => (bytes = await transfer(client)));
      if (run > 0) list.push(bytes / 1e3 / ms);
    }
  }
  const [without, withUs] = [median(rates.get(direct)!), median(rates.get(through)!)];
  return {
    name: `relay: ${ROWS} rows`,
    measured: `${withUs.toFixed(0)} MB/s`,
    baseline: `${without.toFixed(0)} MB/s directly`,
    result: (withUs / without).toFixed(2),
  };
}

const READY_FOR_QUERY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/** Bytes of the result, read and dropped: a client that parsed them would be what is measured. */
function transfer(client: Client): Promise<number> {
  const socket = (client as unknown as { connection: { stream: Socket } }).connection.stream;
  socket.removeAllListeners('data');
  return new Promise((resolve) => {
    let bytes = 0;
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (!chunk.subarray(-READY_FOR_QUERY.length).equals(READY_FOR_QUERY)) return;
      socket.off('data', onData);
      resolve(bytes);
    };
    socket.on('data', onData);
    socket.write(encodeQuery({ text: RESULT }));
  });
}
