import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../../src/engine/client.ts';
import { CliProcess, run, temporaryDirectory } from './support/cli.ts';

const directory = temporaryDirectory();
const dataDir = path.join(directory.path, 'data');
const common = ['--data-dir', dataDir];
const here = { cwd: directory.path };

let server: CliProcess | undefined;

async function serve(args: readonly string[] = [], env = {}): Promise<{ process: CliProcess; port: number }> {
  const child = new CliProcess(['serve', '--port', '0', '--http-port', '0', ...common, ...args], { ...here, env });
  const ready = await child.waitFor('stdout', /^ready: postgres:\/\/trailhound@127\.0\.0\.1:(\d+)\/trailhound\n/);
  return { process: child, port: Number(ready[1]) };
}

/** Processes whose command line names the data directory: the engine's. */
function engineProcesses(): readonly string[] {
  const all = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  return all.filter((line) => line.includes(dataDir) && line.includes('postgres') && !line.includes('ps -eo'));
}

afterAll(() => directory.remove());

describe('while a server runs', () => {
  beforeAll(async () => {
    server = (await serve()).process;
  });

  afterAll(async () => {
    await server?.stop();
  });

  const query = (args: readonly string[], options = {}) => run(['query', ...common, ...args], { ...here, ...options });

  it('prints one line where stdout is no terminal, and nothing else', () => {
    expect(server?.stdout.split('\n')).toHaveLength(2);
    expect(server?.stderr).toBe('');
  });

  it('keeps what is secret to the owner of the data directory', () => {
    for (const name of ['password', 'pgpass']) expect(statSync(path.join(dataDir, name)).mode & 0o777).toBe(0o600);
  });

  it('tells where it listens, and answers over HTTP there', async () => {
    const { pid, host, httpPort } = JSON.parse(readFileSync(path.join(dataDir, 'server.json'), 'utf8'));
    expect(pid).toBe(server?.child.pid);
    expect((await fetch(`http://${host}:${httpPort}/healthz`)).status).toBe(200);
    expect((await fetch(`http://${host}:${httpPort}/readyz`)).status).toBe(200);
    const metrics = await (await fetch(`http://${host}:${httpPort}/metrics`)).text();
    expect(metrics).toMatch(/^trailhound_connections \d+$/m);
  });

  it.each([
    ['csv', 'a,b\n1,\n'],
    ['jsonl', '{"a":1,"b":null}\n'],
    ['table', ' a | b\n---+---\n 1 |\n(1 row)\n'],
  ])('query finds it and writes %s', async (output, stdout) => {
    const result = await query(['--output', output, 'select 1 as a, null as b']);
    expect(result).toEqual({ status: 0, stdout, stderr: '' });
  });

  it('query reads statements from stdin and from files, several at once', async () => {
    const stdin = 'create temp table t (x int); insert into t values (7);\nselect x from t;';
    const result = await query(['-'], { stdin });
    expect(result).toMatchObject({ status: 0, stdout: 'CREATE TABLE\nINSERT 0 1\n x\n---\n 7\n(1 row)\n' });
  });

  it('query sets parameters that statements read', async () => {
    const sql = `select current_setting('hunt.since') as since`;
    expect((await query(['--param', "since=7 d'ays", '--output', 'csv', sql])).stdout).toBe("since\n7 d'ays\n");
  });

  it('query says UTC, unless PGTZ or an option says otherwise', async () => {
    const sql = `select current_setting('TimeZone') as zone`;
    const zone = async (args: readonly string[], env = {}) =>
      (await query([...args, '--output', 'csv', sql], { env })).stdout;
    expect(await zone([])).toBe('zone\nUTC\n');
    expect(await zone([], { PGTZ: 'Asia/Tokyo' })).toBe('zone\nAsia/Tokyo\n');
    expect(await zone(['--timezone', 'Europe/Berlin'], { PGTZ: 'Asia/Tokyo' })).toBe('zone\nEurope/Berlin\n');
  });

  it('query shows where a statement is wrong, and fails', async () => {
    const result = await query(['select 1,\n  nonsense from pg_class']);
    expect(result.status).toBe(1);
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(
      /^ERROR: {2}42703: column "nonsense" does not exist\nLINE 2: {3}nonsense from pg_class\n {10}\^\n/,
    );
  });

  it('query says which key is missing and how to give it', async () => {
    const result = await query([`select * from abuseipdb_check_ip where ip_address = '198.51.100.7'`]);
    // Reserved for documentation: answered without a call.
    expect(result.status).toBe(0);
    const asked = await query([`select * from abuseipdb_check_ip where ip_address = '93.184.216.34'`]);
    expect(asked.status).toBe(1);
    expect(asked.stderr).toMatch(/^ERROR: {2}HV00N: .*abuseipdb/);
    expect(asked.stderr).toContain('ABUSEIPDB_API_KEY');
  });

  it('query ends with 130 when it is interrupted, and the statement with it', async () => {
    const child = new CliProcess(['query', ...common, 'select pg_sleep(600)'], here);
    const watching = await connect();
    const sleeping = async () => (await watching.query(SLEEPING)).rowCount;
    await expect.poll(sleeping).toBe(1);
    expect((await child.stop('SIGINT')).status).toBe(130);
    await expect.poll(sleeping).toBe(0);
    await watching.end();
  });

  it('query ends quietly when its reader has gone', async () => {
    const child = new CliProcess(['query', ...common, '--output', 'csv', 'select generate_series(1, 10000000)'], here);
    await child.waitFor('stdout', /\n1\n/);
    child.child.stdout.destroy();
    expect(await child.finished()).toMatchObject({ status: 0, stderr: '' });
  });

  it('refuses a second server on the same data directory and on the same port', async () => {
    const same = await run(['serve', '--port', '0', '--http-port', 'off', ...common], here);
    expect(same.status).toBe(2);
    expect(same.stderr).toContain(dataDir);
    const { port } = JSON.parse(readFileSync(path.join(dataDir, 'server.json'), 'utf8'));
    const other = ['--data-dir', path.join(directory.path, 'other')];
    const taken = await run(['serve', '--port', String(port), '--http-port', 'off', ...other], here);
    expect(taken.status).toBe(2);
    expect(taken.stderr).toMatch(new RegExp(`port ${port} on 127\\.0\\.0\\.1 is in use\\n.*--port`));
  });

  it('makes, lists and removes users', async () => {
    const user = (...args: string[]) => run(['user', ...args, ...common], here);
    const added = await user('add', 'grafana', '--read-only');
    expect(added).toMatchObject({ status: 0, stdout: expect.stringMatching(/^[\w-]{32}\n$/) });
    const alice = await user('add', 'alice');
    expect(alice.status).toBe(0);
    await expect(asUser('alice', alice.stdout.trim(), 'create table mine as select 1 as x')).resolves.toBe('SELECT');
    await expect(asUser('grafana', added.stdout.trim(), 'create table mine as select 1 as x')).rejects.toThrow(
      /permission denied|no schema/,
    );
    await expect(asUser('grafana', added.stdout.trim(), 'select * from cloudtrail_trail_event limit 0')).resolves.toBe(
      'SELECT',
    );
    // Her work is not lost by the way.
    expect((await user('remove', 'alice')).stderr).toContain(
      'cannot drop schema alice because other objects depend on it',
    );
    await asUser('alice', alice.stdout.trim(), 'drop table mine');
    const list = await user('list');
    expect(list.stdout).toMatch(/ alice +\| read, and make things in its own schema\n/);
    expect(list.stdout).toMatch(/ grafana +\| read\n/);
    expect((await user('add', 'alice')).stderr).toContain('role "alice" already exists');
    expect((await user('add', 'pg_alice')).status).toBe(2);
    for (const name of ['grafana', 'alice'])
      expect(await user('remove', name)).toMatchObject({ status: 0, stderr: '' });
    expect((await user('list')).stdout).not.toMatch(/alice|grafana/);
  });

  it('renews the password, and the old one is refused', async () => {
    const before = readFileSync(path.join(dataDir, 'password'), 'utf8');
    expect((await run(['password', ...common], here)).stdout).toBe(before);
    const rotated = await run(['password', '--rotate', ...common], here);
    expect(rotated.status).toBe(0);
    expect(rotated.stdout).not.toBe(before);
    expect(readFileSync(path.join(dataDir, 'password'), 'utf8')).toBe(rotated.stdout);
    expect(readFileSync(path.join(dataDir, 'pgpass'), 'utf8')).toContain(rotated.stdout.trim());
    expect((await query(['--output', 'csv', 'select 1 as a'])).stdout).toBe('a\n1\n');
    const old = await query(['select 1'], { env: { TRAILHOUND_PASSWORD: before.trim() } });
    expect(old.status).toBe(1);
    expect(old.stderr).toContain('password authentication failed');
  });

  it('checks every hunt without calling a source', async () => {
    expect(await run(['hunt', 'check', ...common], here)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^\d+ hunts checked, 0 wrong\n$/),
      stderr: '',
    });
  });
});

describe('when a server ends', () => {
  afterEach(async () => {
    await server?.stop('SIGKILL');
  });

  it('by SIGTERM: with status 0, its engine stopped and its file removed', async () => {
    server = (await serve()).process;
    expect(await server.stop('SIGTERM')).toMatchObject({ status: 0, stderr: '' });
    expect(engineProcesses()).toEqual([]);
    expect(existsSync(path.join(dataDir, 'server.json'))).toBe(false);
  });

  it('lets a running statement finish and accepts no connection any more', async () => {
    const started = await serve();
    server = started.process;
    // A session that is idle is ended at once, and with it what the statement waits for.
    const idle = await connect();
    await idle.query('select pg_advisory_lock(1)');
    const child = new CliProcess(
      ['query', ...common, '--output', 'csv', 'select 1 as a from pg_advisory_lock(1)'],
      here,
    );
    const waiting = `select from pg_locks where locktype = 'advisory' and objid = 1 and not granted`;
    await expect.poll(async () => (await idle.query(waiting)).rowCount).toBe(1);
    const stopped = server.stop('SIGTERM');
    expect(await child.finished()).toMatchObject({ status: 0, stdout: 'a\n1\n' });
    expect((await stopped).status).toBe(0);
    await expect(connects(started.port)).resolves.toBe(false);
  });

  it('at once by a second signal', async () => {
    server = (await serve()).process;
    const child = new CliProcess(['query', ...common, 'select pg_sleep(600)'], here);
    const watching = await connect();
    await expect.poll(async () => (await watching.query(SLEEPING)).rowCount).toBe(1);
    server.child.kill('SIGINT');
    await expect.poll(() => connects(portOf())).toBe(false);
    expect((await server.stop('SIGINT')).status).toBe(130);
    expect((await child.finished()).status).toBe(1);
    expect(engineProcesses()).toEqual([]);
  });

  it('by kill -9: the next one starts on the same data, and nobody believes the file left behind', async () => {
    server = (await serve()).process;
    await run(['query', ...common, 'create table kept (x int); insert into kept values (1)'], here);
    await server.stop('SIGKILL');
    const result = await run(['query', ...common, '--output', 'csv', 'select x from kept'], here);
    expect(result).toMatchObject({ status: 0, stdout: 'x\n1\n' });
    expect(engineProcesses()).toEqual([]);
  });

  it('when its engine dies: it says so and fails', async () => {
    server = (await serve()).process;
    const pid = Number(readFileSync(path.join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
    process.kill(pid, 'SIGKILL');
    const result = await server.finished();
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(/the engine has ended/);
  });
});

const SLEEPING = `select from pg_stat_activity where query like 'select pg_sleep(600)%' and state = 'active'`;

async function connect(
  user = 'trailhound',
  password = readFileSync(path.join(dataDir, 'password'), 'utf8').trim(),
): Promise<Client> {
  const client = new Client({ host: '127.0.0.1', port: portOf(), database: 'trailhound', user, password });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function asUser(user: string, password: string, sql: string): Promise<string> {
  const client = await connect(user, password);
  try {
    return (await client.query(sql)).command;
  } finally {
    await client.end();
  }
}

function portOf(): number {
  const text = existsSync(path.join(dataDir, 'server.json'))
    ? readFileSync(path.join(dataDir, 'server.json'), 'utf8')
    : '';
  return text === '' ? 1 : (JSON.parse(text).port as number);
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
