import { readFile, rm } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { writePrivateFile } from './private-file.ts';

/** `<data_dir>/server.json`: how `query` and others find the server that runs on a data directory. */
export interface RunningServer {
  readonly pid: number;
  /** Where to connect from this machine: never a wildcard address. */
  readonly host: string;
  readonly port: number;
  readonly httpPort: number | undefined;
  readonly database: string;
  /** Connections without TLS are refused. */
  readonly tls: boolean;
}

function fileIn(dataDir: string): string {
  return path.join(dataDir, 'server.json');
}

export async function writeServerFile(dataDir: string, server: RunningServer): Promise<void> {
  await writePrivateFile(fileIn(dataDir), `${JSON.stringify(server)}\n`);
}

export async function removeServerFile(dataDir: string): Promise<void> {
  await rm(fileIn(dataDir), { force: true });
}

/** Undefined where no server runs; a file that a killed server left behind is not believed. */
export async function findRunningServer(dataDir: string): Promise<RunningServer | undefined> {
  const text = await readFile(fileIn(dataDir), 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const server = parse(text);
  return server !== undefined && isAlive(server.pid) && (await accepts(server)) ? server : undefined;
}

function parse(text: string): RunningServer | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { pid, host, port, database } = value as Partial<RunningServer>;
    const complete =
      typeof pid === 'number' && typeof host === 'string' && typeof port === 'number' && typeof database === 'string';
    return complete ? (value as RunningServer) : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

const CONNECT_TIMEOUT_MS = 2_000;

function accepts({ host, port }: RunningServer): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: CONNECT_TIMEOUT_MS });
    const answer = (value: boolean) => {
      socket.destroy();
      resolve(value);
    };
    socket.on('connect', () => answer(true));
    socket.on('error', () => answer(false));
    socket.on('timeout', () => answer(false));
  });
}

/** `0.0.0.0` and `::` are addresses to listen on, not to connect to. */
export function reachableHost(host: string): string {
  if (host === '0.0.0.0' || host === '') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}
