import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../../src/engine/open.ts';
import { withClient } from '../../src/engine/pool.ts';
import { LOCK_CLASS } from '../../src/engine/process-lock.ts';
import { setUpSchema } from '../../src/engine/schema.ts';
import { startForeignServer, type ForeignServer } from './support/foreign-server.ts';
import { removeTemporaryDirectories } from './support/temporary-directory.ts';

let server: ForeignServer;
let secure: ForeignServer;
beforeAll(async () => {
  [server, secure] = await Promise.all([startForeignServer({ maxConnections: 40 }), startForeignServer({ tls: true })]);
});
afterAll(async () => {
  await Promise.all([server.stop(), secure.stop()]);
  await removeTemporaryDirectories();
});

interface Part {
  to?: ForeignServer;
  user?: string;
  password?: string;
  host?: string;
  query?: string;
  maxClients?: number;
  database?: string;
}

const open = (part: Part = {}) => {
  const to = part.to ?? server;
  const password = encodeURIComponent(part.password ?? to.password);
  return openEngine({
    dataDir: '/nowhere',
    engineUrl: `postgres://${part.user ?? 'postgres'}:${password}@${part.host ?? '127.0.0.1'}:${to.port}/postgres${part.query ?? ''}`,
    database: part.database ?? 'trailhound',
    maxClients: part.maxClients ?? 5,
    poolSize: 2,
  });
};

async function refusal(part: Part): Promise<{ code: string; message: string; detail?: string; hint: string }> {
  const engine = await open(part).catch((reason: unknown) => reason);
  expect(engine).toMatchObject({ code: 'configuration' });
  return engine as { code: string; message: string; detail?: string; hint: string };
}

describe('an engine by URL', () => {
  it('must be reachable', async () => {
    const error = await refusal({ to: { ...server, port: 1 } });
    expect(error.message).toBe('cannot use the engine at postgres://postgres@127.0.0.1:1/postgres');
    expect(error.detail).toContain('ECONNREFUSED');
  });

  it('must know the password, which no message shows', async () => {
    const error = await refusal({ password: 'hush-hush' });
    expect(error.detail).toContain('password authentication failed');
    expect(JSON.stringify(error)).not.toContain('hush-hush');
  });

  it('must make us superuser', async () => {
    const engine = await open();
    await engine.pool.query(`create role plain login password 'plain'`);
    const error = await refusal({ user: 'plain', password: 'plain' });
    expect(error.message).toContain('plain is not a superuser');
    expect(error.hint).toContain('alter role "plain" superuser');
    await engine.pool.query('drop role plain');
    await engine.close();
  });

  it('must have room for our clients', async () => {
    const error = await refusal({ maxClients: 100 });
    expect(error.message).toContain('allows 40 connections, 212 are needed');
  });

  it('must have a database in UTF8', async () => {
    const engine = await open();
    await engine.pool.query(
      `create database latin template template0 encoding 'LATIN1' locale_provider libc locale 'C'`,
    );
    expect((await refusal({ database: 'latin' })).message).toContain('has the encoding LATIN1');
    await engine.close();
  });

  it('must leave the name trailhound to us', async () => {
    const engine = await open({ to: secure });
    await engine.pool.query('create role trailhound superuser');
    await expect(setUpSchema(engine, { password: 'x' })).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining('role trailhound is a superuser of the engine'),
    });
    // Nothing of the set-up stayed.
    const { rows } = await engine.pool.query(`select to_regnamespace('trailhound') is null as clean`);
    expect(rows).toEqual([{ clean: true }]);
    await engine.close();
  });

  it('takes no lock of another role for a living process', async () => {
    const engine = await open({ database: 'locked' });
    try {
      await setUpSchema(engine, { password: 'x' });
      const living = () => engine.pool.query('select trailhound.living_processes($1) as process', [LOCK_CLASS]);
      const lock = 'select pg_advisory_lock($1, 424242)';
      const { port } = server;
      const target = { host: '127.0.0.1', port, password: 'x', database: 'locked' };
      await withClient({ ...target, user: 'trailhound' }, async (client) => {
        await client.query(lock, [LOCK_CLASS]);
        expect((await living()).rows).toEqual([]);
      });
      await withClient({ ...target, user: 'postgres', password: server.password }, async (client) => {
        await client.query(lock, [LOCK_CLASS]);
        expect((await living()).rows).toEqual([{ process: 424242 }]);
      });
    } finally {
      await engine.close();
    }
  });

  it('is encrypted as sslmode says', async () => {
    const encrypted = async (part: Part): Promise<unknown> => {
      const engine = await open(part);
      const { rows } = await engine.pool.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()');
      await engine.close();
      return rows[0];
    };
    const trusted = `&sslrootcert=${secure.certificateFile ?? ''}`;
    expect(await encrypted({ to: secure })).toEqual({ ssl: true });
    expect(await encrypted({ to: secure, query: '?sslmode=disable' })).toEqual({ ssl: false });
    expect(await encrypted({ to: secure, query: '?sslmode=require' })).toEqual({ ssl: true });
    expect(await encrypted({ to: secure, query: `?sslmode=verify-ca${trusted}` })).toEqual({ ssl: true });
    expect(await encrypted({ to: secure, host: 'localhost', query: `?sslmode=verify-full${trusted}` })).toEqual({
      ssl: true,
    });
    expect(await encrypted({ to: server })).toEqual({ ssl: false });
  });

  it('is not used where sslmode asks for more than it has', async () => {
    expect((await refusal({ to: server, query: '?sslmode=require' })).message).toContain(
      'has no TLS, sslmode is require',
    );
    expect((await refusal({ to: secure, query: '?sslmode=verify-full' })).detail).toContain('self-signed');
    const wrongName = `?sslmode=verify-full&sslrootcert=${secure.certificateFile ?? ''}`;
    expect((await refusal({ to: secure, query: wrongName })).detail).toContain('127.0.0.1');
  });

  it('may be the engine of two processes that set it up at once', async () => {
    const [one, two] = await Promise.all([open({ database: 'shared' }), open({ database: 'shared' })]);
    await Promise.all([setUpSchema(one, { password: 'x' }), setUpSchema(two, { password: 'x' })]);
    const { rows } = await one.pool.query('select count(*)::int as installations from trailhound.installation');
    expect(rows).toEqual([{ installations: 1 }]);
    await Promise.all([one.close(), two.close()]);
  });
});
