import { execFile, spawn, spawnSync } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startForeignServer, type ForeignServer } from '../../test/engine/support/foreign-server.ts';
import { removeTemporaryDirectories } from '../../test/engine/support/temporary-directory.ts';
import { median, timed, type Figure, type Scenario } from '../figure.ts';
import { withDirectory, withServer, type ServerProcess } from '../server-process.ts';

const ROUNDS = 3;
const SECONDS = 4;
const CLIENTS = 4;
const SCALE = 5;
const COPIES = 5;
const USER = 'trailhound';

/** A way from pgbench to the engine. */
interface Way {
  readonly name: string;
  readonly port: number;
}

/**
 * PostgreSQL's own benchmark, selects alone, and COPY by psql: through a pipe of Node that does nothing, through us and
 * through pgbouncer in session mode. All by TCP on loopback, with SCRAM and without TLS, in turns.
 */
export const pgbench: Scenario = {
  name: 'pgbench',
  run: async () => {
    if (!has('pgbench') || !has('psql')) throw new Error('pgbench and psql must be in the PATH');
    const engine = await startForeignServer({ maxConnections: 300 });
    try {
      const engineUrl = `postgres://postgres:${encodeURIComponent(engine.password)}@127.0.0.1:${engine.port}/postgres`;
      return await withServer({ engineUrl }, (server) =>
        withPipe(engine.port, (pipe) => measure(engine, server, pipe)),
      );
    } finally {
      await engine.stop();
      await removeTemporaryDirectories();
    }
  },
};

async function measure(engine: ForeignServer, server: ServerProcess, pipe: Way): Promise<readonly Figure[]> {
  const { password } = server;
  const ways = [pipe, { name: 'us', port: server.port }];
  await run('pgbench', ['-i', '-q', '-s', String(SCALE)], engine.port, password);
  if (!has('pgbouncer')) {
    console.error('pgbench: no pgbouncer in the PATH: it is left out');
    return compare(ways, password);
  }
  return withPgbouncer(engine.port, password, (bouncer) => compare([...ways, bouncer], password));
}

async function compare(ways: readonly Way[], password: string): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const mode of ['simple', 'extended', 'prepared']) {
    const options = ['-S', '-n', '-M', mode, '-c', String(CLIENTS), '-j', '2', '-T', String(SECONDS)];
    const rates = await inTurns(ways, async ({ port }) => {
      const output = await run('pgbench', options, port, password);
      return Number(/^tps = ([\d.]+)/mu.exec(output)?.[1]);
    });
    figures.push(...figuresOf(`pgbench -S, ${mode}`, rates, (rate) => `${rate.toFixed(0)}/s`));
  }
  const statement = ['-X', '-q', '-o', '/dev/null', '-c', 'copy pgbench_accounts to stdout'];
  const all = Array.from({ length: COPIES }, () => statement.slice(-2)).flat();
  const rates = await inTurns(ways, async ({ port }) => {
    const ms = await timed(() => run('psql', [...statement.slice(0, -2), ...all], port, password));
    return (COPIES * 1000) / ms;
  });
  figures.push(...figuresOf(`COPY of ${SCALE * 100_000} rows`, rates, (rate) => `${rate.toFixed(2)}/s`));
  return figures;
}

async function inTurns(
  ways: readonly Way[],
  rate: (way: Way) => Promise<number>,
): Promise<ReadonlyMap<string, number>> {
  const rates = new Map<string, number[]>(ways.map(({ name }) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const way of ways) rates.get(way.name)!.push(await rate(way));
  }
  return new Map([...rates].map(([name, list]) => [name, median(list)]));
}

function figuresOf(name: string, rates: ReadonlyMap<string, number>, show: (rate: number) => string): Figure[] {
  const ours = rates.get('us')!;
  return [...rates]
    .filter(([other]) => other !== 'us')
    .map(([other, rate]) => {
      const ratio = ours / rate;
      const isBound = other === PIPE || name.startsWith('COPY');
      return {
        name,
        measured: show(ours),
        baseline: `${show(rate)} through ${other}`,
        result: ratio.toFixed(2),
        ...(isBound && {
          bound: { text: `>= ${other === PIPE ? 0.9 : 1}`, held: ratio >= (other === PIPE ? 0.9 : 1) },
        }),
      };
    });
}

const PIPE = 'a bare pipe';

async function withPipe<T>(target: number, work: (way: Way) => Promise<T>): Promise<T> {
  const server = createServer({ noDelay: true }, (client) => {
    const backend = connect({ host: '127.0.0.1', port: target, noDelay: true });
    client.on('error', () => backend.destroy());
    backend.on('error', () => client.destroy());
    client.pipe(backend).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await work({ name: PIPE, port: (server.address() as AddressInfo).port });
  } finally {
    server.close();
  }
}

async function withPgbouncer<T>(target: number, password: string, work: (way: Way) => Promise<T>): Promise<T> {
  return withDirectory(async (directory) => {
    const port = await freePort();
    const file = (name: string) => path.join(directory, name);
    await writeFile(file('users'), `"${USER}" "${password}"\n`);
    await writeFile(
      file('ini'),
      [
        '[databases]',
        `* = host=127.0.0.1 port=${target}`,
        '[pgbouncer]',
        'listen_addr = 127.0.0.1',
        `listen_port = ${port}`,
        'unix_socket_dir =',
        'auth_type = scram-sha-256',
        `auth_file = ${file('users')}`,
        'pool_mode = session',
        'ignore_startup_parameters = extra_float_digits',
        'log_connections = 0',
        'log_disconnections = 0',
        'log_stats = 0',
      ].join('\n'),
    );
    // It refuses to run as root.
    const isRoot = process.getuid?.() === 0;
    await chmod(directory, 0o755);
    const child = spawn('pgbouncer', ['-q', ...(isRoot ? ['-u', 'nobody'] : []), file('ini')], { stdio: 'inherit' });
    try {
      await listening(port);
      return await work({ name: 'pgbouncer', port });
    } finally {
      child.kill('SIGQUIT');
    }
  });
}

async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const socket = connect({ host: '127.0.0.1', port });
    const open = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (open) return;
    await sleep(100);
  }
  throw new Error('pgbouncer does not listen');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function run(program: string, options: readonly string[], port: number, password: string): Promise<string> {
  const { stdout } = await promisify(execFile)(program, [...options], {
    env: {
      ...process.env,
      PGHOST: '127.0.0.1',
      PGPORT: String(port),
      PGUSER: USER,
      PGDATABASE: 'trailhound',
      PGPASSWORD: password,
      PGSSLMODE: 'disable',
    },
  });
  return stdout;
}

function has(program: string): boolean {
  return spawnSync(program, ['--version']).status === 0;
}
