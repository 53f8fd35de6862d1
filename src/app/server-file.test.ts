import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ensurePassword, pgpassFile, writePgpass } from './password.ts';
import { findRunningServer, removeServerFile, writeServerFile } from './server-file.ts';

let dataDir: string;
let listener: net.Server;
let port: number;

beforeEach(async () => {
  dataDir = await mkdtemp(path.join(os.tmpdir(), 'trailhound-app-'));
  listener = net.createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  port = (listener.address() as net.AddressInfo).port;
});

afterEach(async () => {
  listener.close();
  await rm(dataDir, { recursive: true });
});

const server = () => ({
  pid: process.pid,
  host: '127.0.0.1',
  port,
  httpPort: undefined,
  database: 'trailhound',
  tls: false,
});

it('finds a server that runs, and none after it removed its file', async () => {
  await writeServerFile(dataDir, server());
  expect(await findRunningServer(dataDir)).toMatchObject({ port, database: 'trailhound' });
  await removeServerFile(dataDir);
  expect(await findRunningServer(dataDir)).toBeUndefined();
});

it('does not believe a file that a killed server left behind', async () => {
  // Above every pid that Linux or macOS gives out.
  await writeServerFile(dataDir, { ...server(), pid: 2 ** 30 });
  expect(await findRunningServer(dataDir)).toBeUndefined();
  await writeServerFile(dataDir, server());
  await new Promise((resolve) => listener.close(resolve));
  expect(await findRunningServer(dataDir)).toBeUndefined();
  await writeFile(path.join(dataDir, 'server.json'), '{"pid": ');
  expect(await findRunningServer(dataDir)).toBeUndefined();
});

it('makes a password once, readable by its owner alone', async () => {
  const password = await ensurePassword(dataDir, undefined);
  expect(password).toMatch(/^[\w-]{32}$/);
  expect(await ensurePassword(dataDir, undefined)).toBe(password);
  expect((await stat(path.join(dataDir, 'password'))).mode & 0o777).toBe(0o600);
  await writePgpass(dataDir, 9432, 'a:b');
  expect((await stat(pgpassFile(dataDir))).mode & 0o777).toBe(0o600);
});

it('takes a configured password in place of the one that was made', async () => {
  await ensurePassword(dataDir, undefined);
  await ensurePassword(dataDir, 'chosen');
  expect(await ensurePassword(dataDir, undefined)).toBe('chosen');
});
