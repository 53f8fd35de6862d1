import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client, type ClientConfig } from 'pg';

const ENTRY = fileURLToPath(new URL('../bin/trailhound.js', import.meta.url));

export interface ServerProcess {
  readonly pid: number;
  readonly port: number;
  /** From spawn to the line that says `ready:`. */
  readonly readyMs: number;
  readonly database: string;
  readonly password: string;
  connect(config?: ClientConfig): Promise<Client>;
  stop(): Promise<void>;
}

export interface ServerProcessOptions {
  readonly dataDir: string;
  /** Of a simulator. */
  readonly url?: string;
  readonly engineUrl?: string;
  /** Of several on one engine; by default one of its own. */
  readonly password?: string;
  /** Paths of evidence. */
  readonly files?: readonly string[];
  /** FilterLogEvents; out of the way unless given. */
  readonly requestsPerSecond?: number;
}

/** The built server, as users run it, over a simulator. */
export async function startServer({
  dataDir,
  url,
  engineUrl,
  password: given,
  files,
  requestsPerSecond = 1_000_000,
}: ServerProcessOptions): Promise<ServerProcess> {
  const file = path.join(dataDir, 'trailhound.yaml');
  const endpoint = url ?? 'http://127.0.0.1:9';
  // JSON is YAML.
  const configuration = {
    listen: { host: '127.0.0.1', port: 0, http_port: 0, tls: 'off' },
    data_dir: dataDir,
    ...(engineUrl !== undefined && { engine_url: engineUrl }),
    connections: {
      aws: {
        endpoint_url: endpoint,
        regions: ['us-east-1'],
        log_groups: ['CloudTrail/GlobalServiceEvents'],
        requests_per_second: requestsPerSecond,
      },
      abuseipdb: { url: `${endpoint}/api/v2`, api_key: 'made-up' },
      ...(files !== undefined && { evidence: { kind: 'files', paths: files } }),
    },
  };
  await writeFile(file, JSON.stringify(configuration));
  const start = performance.now();
  const child = spawn(process.execPath, [...profiling(), ENTRY, 'serve', '--config', file], {
    env: {
      PATH: process.env['PATH'],
      HOME: dataDir,
      AWS_ACCESS_KEY_ID: 'AKIABENCH',
      AWS_SECRET_ACCESS_KEY: 'made-up',
      ...(given !== undefined && { TRAILHOUND_PASSWORD: given }),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const line = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line').then(([text]) => String(text)),
    ended.then(([status]) => Promise.reject(new Error(`the server ended with status ${String(status)}`))),
  ]);
  const readyMs = performance.now() - start;
  const ready = new URL(line.replace(/^ready: /, ''));
  const password = (await readFile(path.join(dataDir, 'password'), 'utf8')).trim();
  return {
    pid: child.pid!,
    port: Number(ready.port),
    readyMs,
    database: ready.pathname.slice(1),
    password,
    connect: async (config) => {
      const client = new Client({
        host: ready.hostname,
        port: Number(ready.port),
        user: 'trailhound',
        database: ready.pathname.slice(1),
        password,
        ...config,
      });
      await client.connect();
      return client;
    },
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** `BENCH_CPU_PROF=<folder>`: each server writes a profile there when it ends. */
function profiling(): readonly string[] {
  const folder = process.env['BENCH_CPU_PROF'];
  return folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`];
}

/** For a data directory; the engine's own user may pass through it. */
export async function withDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(path.join(tmpdir(), 'trailhound-bench-'));
  try {
    await chmod(directory, 0o711);
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

export async function withServer<T>(
  options: Omit<ServerProcessOptions, 'dataDir'>,
  work: (server: ServerProcess) => Promise<T>,
): Promise<T> {
  return withDirectory(async (dataDir) => {
    const server = await startServer({ ...options, dataDir });
    try {
      return await work(server);
    } finally {
      await server.stop();
    }
  });
}
