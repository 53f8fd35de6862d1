import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { openEngine } from '../../src/engine/open.ts';
import { copyIn, withPoolClient } from '../../src/engine/pool.ts';
import { setUpSchema } from '../../src/engine/schema.ts';
import { startForeignServer, type ForeignServer } from './support/foreign-server.ts';
import { removeTemporaryDirectories, temporaryDirectory } from './support/temporary-directory.ts';

const OPTIONS = { database: 'hunting "ground"', maxClients: 5, poolSize: 3 };

let plain: ForeignServer;
let secure: ForeignServer;

beforeAll(async () => {
  [plain, secure] = await Promise.all([startForeignServer(), startForeignServer({ tls: true })]);
});
afterAll(async () => {
  await Promise.all([plain.stop(), secure.stop()]);
  await removeTemporaryDirectories();
});

const password = (server: ForeignServer): string => encodeURIComponent(server.password);

/** Every road to a PostgreSQL must keep the same promises. */
const ROADS: Readonly<Record<string, () => string | undefined>> = {
  'the embedded engine': () => undefined,
  'an engine by URL over TCP': () => `postgres://postgres:${password(plain)}@127.0.0.1:${plain.port}/postgres`,
  'an engine by URL over a Unix socket': () =>
    `postgres:///postgres?host=${plain.socketDirectory}&port=${plain.port}&user=postgres&password=${password(plain)}`,
  'an engine by URL over TLS': () =>
    `postgres://postgres:${password(secure)}@localhost:${secure.port}/postgres?sslmode=verify-full&sslrootcert=${secure.certificateFile ?? ''}`,
};

describe.each(Object.keys(ROADS))('%s', (road) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await openEngine({ ...OPTIONS, dataDir: await temporaryDirectory(), engineUrl: ROADS[road]?.() });
    await setUpSchema(engine, { password: 'trailhound’s' });
  });
  afterAll(() => engine.close());

  it('serves the database that was asked for, made where it was missing', async () => {
    const { rows } = await engine.pool.query('select current_database() as name, getdatabaseencoding() as encoding');
    expect(rows).toEqual([{ name: OPTIONS.database, encoding: 'UTF8' }]);
    expect(engine.database).toBe(OPTIONS.database);
  });

  it('gives its version as PostgreSQL counts it', async () => {
    const { rows } = await engine.pool.query(`select current_setting('server_version_num')::int as version`);
    expect(rows).toEqual([{ version: engine.version }]);
    expect(engine.version).toBeGreaterThanOrEqual(160_000);
  });

  it('has a pool of superusers that depend on no setting of a database or role', async () => {
    const { rows } = await engine.pool.query(
      `select current_setting('is_superuser') as super, current_setting('search_path') as path,
              current_setting('timezone') as zone, current_setting('client_encoding') as encoding,
              current_setting('lock_timeout') <> '0' as bounded`,
    );
    expect(rows).toEqual([{ super: 'on', path: 'pg_catalog', zone: 'UTC', encoding: 'UTF8', bounded: true }]);
  });

  it('hands out a stream to a backend that waits for its start-up packet', async () => {
    const stream = await engine.connectBackend();
    // StartupMessage of protocol 3.0 with the user alone.
    const user = Buffer.from('user\0trailhound\0database\0hunting "ground"\0\0');
    const packet = Buffer.alloc(8 + user.length);
    packet.writeInt32BE(packet.length, 0);
    packet.writeInt32BE(196_608, 4);
    user.copy(packet, 8);
    stream.write(packet);
    const [answer] = (await once(stream, 'data')) as [Buffer];
    stream.destroy();
    // AuthenticationSASL: never trust, never peer.
    expect(answer.subarray(0, 1).toString()).toBe('R');
    expect(answer.readInt32BE(5)).toBe(10);
    expect(answer.toString('latin1')).toContain('SCRAM-SHA-256');
  });

  it('copies into a relation, and nothing where the copy breaks off', async () => {
    await withPoolClient(engine.pool, async (client) => {
      await client.query('create temp table copied (n int)');
      const copy = copyIn(client, 'copy pg_temp.copied from stdin');
      copy.end('1\n2\n');
      await once(copy, 'finish');
      expect((await client.query('select n from pg_temp.copied')).rows).toEqual([{ n: 1 }, { n: 2 }]);
    });
    await engine.pool.query('create table workspace.broken (n int)');
    await withPoolClient(engine.pool, async (client) => {
      const copy = copyIn(client, 'copy workspace.broken from stdin');
      copy.write('1\n');
      copy.destroy(new Error('no more'));
      await once(copy, 'error');
    });
    expect((await engine.pool.query('select n from workspace.broken')).rows).toEqual([]);
    await engine.pool.query('drop table workspace.broken');
  });

  it('says which statement of its own failed without ending the process', async () => {
    await expect(engine.pool.query('select 1/0')).rejects.toMatchObject({ code: '22012' });
    const doomed = await engine.pool.connect();
    const { rows } = await doomed.query<{ pid: number }>('select pg_backend_pid() as pid');
    await engine.pool.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
    await expect(doomed.query('select 1')).rejects.toThrow();
    doomed.release(true);
    await expect(engine.pool.query('select 1 as one')).resolves.toMatchObject({ rows: [{ one: 1 }] });
  });

  it('sets up its schema once, and keeps what users made when it does so again', async () => {
    const installed = () => engine.pool.query('select hash, installed_at from trailhound.installation');
    const first = (await installed()).rows;
    await setUpSchema(engine, { password: 'another' });
    expect((await installed()).rows).toEqual(first);

    await engine.pool.query(
      `insert into trailhound.key_cache values ('abuseipdb_check_ip', '203.0.113.7', '{}', '[]', now())`,
    );
    await engine.pool.query('create view workspace.mine as select event_name from public.cloudtrail_trail_event');
    await engine.pool.query(`update trailhound.installation set hash = 'of an earlier version'`);
    await setUpSchema(engine, { password: 'another' });
    expect((await installed()).rows).toMatchObject([{ hash: first[0].hash }]);
    const { rows } = await engine.pool.query(
      `select to_regclass('workspace.mine') is not null as view, to_regnamespace('source_before') is null as tidy,
              (select count(*)::int from trailhound.key_cache) as cached`,
    );
    expect(rows).toEqual([{ view: true, tidy: true, cached: 1 }]);
    await engine.pool.query('drop view workspace.mine');
    await engine.pool.query('delete from trailhound.key_cache');
  });

  it('lets the role trailhound create in public only where nobody else looks names up there', async () => {
    const { rows } = await engine.pool.query(`select has_schema_privilege('trailhound', 'public', 'create') as may`);
    expect(rows).toEqual([{ may: engine.kind === 'embedded' }]);
  });

  it('can be closed twice', async () => {
    const another = await openEngine({ ...OPTIONS, dataDir: await temporaryDirectory(), engineUrl: ROADS[road]?.() });
    await Promise.all([another.close(), another.close()]);
    await another.close();
    await expect(another.pool.query('select 1')).rejects.toThrow();
  });
});
