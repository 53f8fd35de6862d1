import { once } from 'node:events';
import { connect } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Client } from '../../src/engine/client.ts';
import { encodeCancelRequest } from '../../src/wire/frontend/cancel-request.ts';
import { CliProcess } from '../cli/support/cli.ts';
import { removeTemporaryDirectories, temporaryDirectory } from '../engine/support/temporary-directory.ts';
import { incident } from './support/incident.ts';
import { HAS_TERMINAL, PSQL_VERSION, Psql } from './support/psql.ts';
import { failure, openRoad, simulatedConnections, textRows, type Road } from './support/road.ts';
import { timeOut } from './support/time-out.ts';
import { until } from './support/until.ts';

/** The default of trailhound.concurrency. */
const AT_ONCE = 16;

let road: Road;
let client: Client;

beforeAll(async () => {
  road = await openRoad({ simulator: { world: incident() } });
});

afterAll(async () => {
  await road.close();
  await removeTemporaryDirectories();
});

let network = 0;
/** Forty addresses that no test has asked for. */
let keys: string;

beforeEach(async () => {
  network += 1;
  keys = Array.from({ length: 40 }, (_, index) => `'185.12.${String(network)}.${String(index)}'`).join(', ');
  road.simulator.calls.reset();
  client = await road.connect();
});

afterEach(async () => {
  road.simulator.clearFaults();
  await client.end().catch(() => undefined);
});

const hang = (service: 'abuseipdb' | 'logs') => {
  road.simulator.fault({ service, times: Infinity, effect: { kind: 'hang' } });
};
const lookup = () => `select count(*) from abuseipdb_check_ip where ip_address in (${keys})`;
const inFlight = (count: number, service: 'abuseipdb' | 'logs' = 'abuseipdb') =>
  road.simulator.calls.until((calls) => calls.open(service) === count);
const states = (service: 'abuseipdb' | 'logs' = 'abuseipdb') => {
  const { calls } = road.simulator;
  return { all: calls.count({ service }), aborted: calls.count({ service, state: 'aborted' }) };
};

/** All that was in flight is aborted, and nothing started since: not even by the time the next statement has run. */
async function expectSilence(session: () => Promise<unknown>): Promise<void> {
  await inFlight(0);
  await session();
  expect(states()).toEqual({ all: AT_ONCE, aborted: AT_ONCE });
}

function cancel(target: Client): Promise<unknown> {
  const { processID, secretKey } = target as unknown as { processID: number; secretKey: number };
  const key = Buffer.alloc(4);
  key.writeInt32BE(secretKey);
  const socket = connect(road.endpoint.port, road.endpoint.host);
  socket.write(encodeCancelRequest({ pid: processID, key }));
  socket.resume();
  return once(socket, 'close');
}

describe.skipIf(PSQL_VERSION === undefined || !HAS_TERMINAL)('Ctrl-C in psql', () => {
  test('during look-ups aborts those in flight, starts no other, and leaves the session alive', async () => {
    hang('abuseipdb');
    const psql = new Psql(road, { terminal: true });
    psql.type(`${lookup()};`);
    await inFlight(AT_ONCE);
    psql.interrupt();
    await expectSilence(async () => {
      psql.type(`select 'still ' || 'alive';`);
      await psql.until(/still alive/);
    });
    const { status, stdout } = await psql.end();
    expect(stdout).toMatch(/Cancel request sent\r\nERROR: {2}57014: canceling statement due to user request\r\n/);
    expect(status).toBe(0);
  });

  test('during a scan aborts it', async () => {
    hang('logs');
    const psql = new Psql(road, { terminal: true });
    psql.type(`begin;\nselect count(*) from cloudtrail_trail_event;`);
    await inFlight(1, 'logs');
    psql.interrupt();
    await inFlight(0, 'logs');
    psql.type(`rollback;\nselect 'still ' || 'alive';`);
    await psql.until(/still alive/);
    const { stdout } = await psql.end();
    expect(stdout).toContain('57014: canceling statement due to user request');
    expect(states('logs')).toEqual({ all: 1, aborted: 1 });
  });

  test('in \\watch ends it', async () => {
    hang('abuseipdb');
    const psql = new Psql(road, { terminal: true });
    psql.type(`${lookup()} \\watch 60`);
    await inFlight(AT_ONCE);
    psql.interrupt();
    await expectSilence(async () => {
      psql.type(`select 'still ' || 'alive';`);
      await psql.until(/still alive/);
    });
    await psql.end();
  });
});

test('a CancelRequest ends the statement, and only that one', async () => {
  hang('abuseipdb');
  const failed = failure(client.query(lookup()));
  await inFlight(AT_ONCE);
  await cancel(client);
  expect(await failed).toMatchObject({ code: '57014', message: 'canceling statement due to user request' });
  await expectSilence(() => textRows(client, 'select 1'));
  await cancel(client);
  expect(await textRows(client, 'select pg_sleep(0.05)')).toHaveLength(1);
});

describe('pg_cancel_backend() from another session', () => {
  async function cancelFromElsewhere(ended: Promise<unknown>): Promise<void> {
    const { processID } = client as unknown as { processID: number };
    let over = false;
    void ended.then(() => (over = true));
    await road.with(async (other) => {
      // Between two sleeps of the backend it is lost, as it is between two statements.
      while (!over) {
        const sleeping = `select pg_cancel_backend(pid) from pg_stat_activity where pid = $1 and wait_event = 'PgSleep'`;
        await textRows(other, sleeping, [processID]);
      }
    });
  }

  test('ends look-ups, and the session goes on', async () => {
    hang('abuseipdb');
    const failed = failure(client.query(lookup()));
    await inFlight(AT_ONCE);
    await cancelFromElsewhere(failed);
    expect(await failed).toMatchObject({ code: '57014', message: 'canceling statement due to user request' });
    await expectSilence(() => textRows(client, 'select 1'));
  });

  test('ends a scan in a block by the extended protocol, and fails the block', async () => {
    hang('logs');
    await client.query('begin');
    const failed = failure(
      client.query('select count(*) from cloudtrail_trail_event where event_name <> $1', ['none']),
    );
    await inFlight(1, 'logs');
    await cancelFromElsewhere(failed);
    expect(await failed).toMatchObject({ code: '57014' });
    expect(await failure(client.query('select 1'))).toMatchObject({ code: '25P02' });
    await client.query('rollback');
    expect(await textRows(client, 'select 1')).toEqual([['1']]);
  });

  test('finds the statement by its text, whatever comments that has', async () => {
    hang('abuseipdb');
    const text = `/* a */ -- /*/
      ${lookup()} and '*/ /*' <> '/'`;
    const failed = failure(client.query(text));
    await inFlight(AT_ONCE);
    await road.with(async (other) => {
      const activity = "select query from pg_stat_activity where wait_event = 'PgSleep' and usename = current_user";
      let shown: string | null | undefined;
      while (shown === undefined) shown = (await textRows(other, activity))[0]?.[0];
      expect(shown).toContain(lookup());
    });
    await cancel(client);
    expect(await failed).toMatchObject({ code: '57014' });
    await inFlight(0);
  });

  test('ends what a view and what DO scans', async () => {
    await client.query(`create or replace view checked as select ip_address as ip from abuseipdb_check_ip`);
    const [first = ''] = keys.split(', ');
    for (const text of [
      `select * from checked where ip in (${keys})`,
      `do $$ begin perform from abuseipdb_check_ip where ip_address = ${first}; end $$`,
    ]) {
      hang('abuseipdb');
      const failed = failure(client.query(text));
      await road.simulator.calls.until((calls) => calls.open('abuseipdb') > 0);
      await (text.startsWith('do') ? cancel(client) : cancelFromElsewhere(failed));
      expect(await failed).toMatchObject({ code: '57014' });
      await inFlight(0);
      road.simulator.clearFaults();
    }
  });

  test('does not meet a statement that has what it waited for', async () => {
    road.simulator.fault({ service: 'abuseipdb', times: 1, effect: { kind: 'throttle', retryAfterSeconds: 2 } });
    expect(await textRows(client, lookup())).toEqual([['40']]);
  });
});

test('a CancelRequest with a wrong key does nothing', async () => {
  hang('abuseipdb');
  const failed = failure(client.query(lookup()));
  await inFlight(AT_ONCE);
  const { processID } = client as unknown as { processID: number };
  await cancel({ processID, secretKey: 42 } as unknown as Client);
  expect(road.simulator.calls.open('abuseipdb')).toBe(AT_ONCE);
  await cancel(client);
  expect(await failed).toMatchObject({ code: '57014' });
  await inFlight(0);
});

test('a cancelled statement fails its transaction, as one of PostgreSQL does', async () => {
  hang('abuseipdb');
  await client.query('begin');
  await client.query('create temp table kept (x int)');
  const failed = failure(client.query(lookup()));
  await inFlight(AT_ONCE);
  await cancel(client);
  expect(await failed).toMatchObject({ code: '57014' });
  expect(await failure(client.query('select 1'))).toMatchObject({ code: '25P02' });
  expect((await client.query('commit')).command).toBe('ROLLBACK');
  expect(await textRows(client, `select to_regclass('pg_temp.kept')`)).toEqual([['']]);
});

test('statement_timeout counts what a statement waits for its sources', async () => {
  hang('abuseipdb');
  expect(await timeOut(road, client, lookup(), AT_ONCE)).toMatchObject({
    code: '57014',
    message: 'canceling statement due to statement timeout',
  });
  await expectSilence(() => textRows(client, 'select 1'));
});

test('a client that disconnects takes its calls with it', async () => {
  hang('abuseipdb');
  void client.query(lookup()).catch(() => undefined);
  await inFlight(AT_ONCE);
  const { stream } = (client as unknown as { connection: { stream: { destroy(): void } } }).connection;
  stream.destroy();
  await expectSilence(() => road.with((other) => textRows(other, 'select 1')));
});

test('pg_terminate_backend ends the session and its calls', async () => {
  hang('abuseipdb');
  const failed = failure(client.query(lookup()));
  await inFlight(AT_ONCE);
  const { processID } = client as unknown as { processID: number };
  await road.with((other) => other.query('select pg_terminate_backend($1)', [processID]));
  expect(await failed).toMatchObject({ code: '57P01' });
  await expectSilence(() => road.with((other) => textRows(other, 'select 1')));
});

describe('two sessions that ask for the same addresses', () => {
  test('share one call each', async () => {
    const release = road.simulator.hold('abuseipdb');
    const other = await road.connect();
    const statement = lookup();
    const asked = Promise.all([textRows(client, statement), textRows(other, statement)]);
    await inFlight(AT_ONCE);
    release();
    const rows = await asked;
    expect(rows).toEqual([[['40']], [['40']]]);
    const counts = [...road.simulator.calls.byKey({ service: 'abuseipdb' }).values()];
    expect(counts).toEqual(Array.from({ length: 40 }, () => 1));
    await other.end();
  });

  test('a cancel of one costs the other nothing', async () => {
    const release = road.simulator.hold('abuseipdb');
    const other = await road.connect();
    const failed = failure(client.query(lookup()));
    await inFlight(AT_ONCE);
    const rows = textRows(other, lookup());
    // Its backend sleeps while a statement waits for calls, here those of the first session.
    await road.with(async (watching) => {
      const { processID } = other as unknown as { processID: number };
      const sleeping = "select from pg_stat_activity where pid = $1 and wait_event = 'PgSleep'";
      await until(async () => (await watching.query(sleeping, [processID])).rowCount === 1);
    });
    await cancel(client);
    expect(await failed).toMatchObject({ code: '57014' });
    release();
    expect(await rows).toEqual([['40']]);
    const counts = [...road.simulator.calls.byKey({ service: 'abuseipdb' }).values()];
    expect(counts).toEqual(Array.from({ length: 40 }, () => 1));
    await other.end();
  });
});

describe('SIGTERM to the server', () => {
  async function serve(): Promise<{ process: CliProcess; client: Client }> {
    const cwd = await temporaryDirectory();
    writeFileSync(join(cwd, 'trailhound.yaml'), simulatedConnections(road.simulator));
    const process = new CliProcess(
      ['serve', '--port', '0', '--http-port', '0', '--data-dir', join(cwd, 'data'), '--log-level', 'error'],
      {
        cwd,
        env: { TRAILHOUND_PASSWORD: 'made-up', AWS_ACCESS_KEY_ID: 'AKIAMADEUPMADEUPMADE', AWS_SECRET_ACCESS_KEY: 'x' },
      },
    );
    const [, port] = await process.waitFor(
      'stdout',
      /^ready: postgres:\/\/trailhound@127\.0\.0\.1:(\d+)\/trailhound\n/,
    );
    const connected = new Client({
      host: '127.0.0.1',
      port: Number(port),
      database: 'trailhound',
      user: 'trailhound',
      password: 'made-up',
    });
    connected.on('error', () => undefined);
    await connected.connect();
    return { process, client: connected };
  }

  test('given twice aborts what runs', async () => {
    hang('abuseipdb');
    const server = await serve();
    const failed = failure(server.client.query(lookup()));
    await inFlight(AT_ONCE);
    server.process.child.kill('SIGTERM');
    const stopped = server.process.stop('SIGTERM');
    expect(await failed).toMatchObject({ code: '57P01' });
    expect(await stopped).toMatchObject({ status: 0 });
    expect(states()).toEqual({ all: AT_ONCE, aborted: AT_ONCE });
  });
});
