import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test, vi } from 'vitest';
import { APPLICATION_NAME } from '../../engine/caller.ts';
import { createLogger } from '../../kernel/log.ts';
import { encodeStartupMessage } from '../../wire/frontend/startup-message.ts';
import { LoopbackDoor } from './loopback-door.ts';
import type { FromDoor } from './messages.ts';

const PID = 4711;
const START_UP = encodeStartupMessage({
  version: { major: 3, minor: 0 },
  parameters: [
    ['user', 'somebody'],
    ['application_name', APPLICATION_NAME.replace('%p', String(PID))],
  ],
});

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

/** With a server that lets in whom `mayEnter` says. */
async function openDoor(mayEnter: (pid: number | undefined) => Promise<boolean>) {
  const entered: ((connection: { socket: Socket; head: Buffer }) => void)[] = [];
  const next = () => new Promise<{ socket: Socket; head: Buffer }>((resolve) => entered.push(resolve));
  const door = new LoopbackDoor({
    host: '127.0.0.1',
    mayEnter,
    connected: (socket, head) => {
      opened.push(() => socket.destroy());
      entered.shift()?.({ socket, head });
    },
    moved: () => undefined,
    log: createLogger('silent'),
  });
  opened.push(() => door.close());
  const port = await door.open();
  const client = connect(port, '127.0.0.1');
  opened.push(() => client.destroy());
  await once(client, 'connect');
  return { door, port, client, next };
}

test('what a client sends after its start-up packet is its server’s to read, however late that answers', async () => {
  let asked: (pid: number | undefined) => void;
  const question = new Promise<number | undefined>((resolve) => (asked = resolve));
  let answer: (mayEnter: boolean) => void;
  const answered = new Promise<boolean>((resolve) => (answer = resolve));
  const { client, next } = await openDoor((pid) => {
    asked(pid);
    return answered;
  });
  const entering = next();
  client.write(START_UP);
  expect(await question).toBe(PID);
  // Acknowledged by the kernel of who listens, who may read it or not.
  for (const part of ['one', 'two', 'three']) await new Promise((resolve) => client.write(part, resolve));
  answer!(true);
  const { socket, head } = await entering;
  expect(head).toEqual(START_UP);
  client.end();
  const read: Buffer[] = [];
  for await (const chunk of socket) read.push(chunk as Buffer);
  expect(Buffer.concat(read).toString()).toBe('onetwothree');
});

test('who is of this server enters unasked, encryption refused; who is not is told why', async () => {
  const { door, port, client, next } = await openDoor(() => Promise.resolve(false));
  client.write(START_UP);
  const [refusal] = (await once(client, 'data')) as [Buffer];
  expect(refusal.toString()).toContain('57P03');

  door.own(PID, true);
  const other = connect(port, '127.0.0.1');
  opened.push(() => other.destroy());
  const entering = next();
  // SSLRequest, as libpq begins.
  other.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]));
  expect(String(await once(other, 'data'))).toBe('N');
  other.write(START_UP);
  const { socket, head } = await entering;
  expect(head).toEqual(START_UP);
  socket.write('served');
  expect(String(await once(other, 'data'))).toBe('served');
});

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const LOADER = ['--import', import.meta.resolve('tsx')];

/** Speaks to it as a server that serves nobody. */
async function forkDoor(): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const child = fork(MAIN, ['127.0.0.1'], { execArgv: LOADER });
  opened.push(() => child.kill('SIGKILL'));
  const port = await new Promise<number>((resolve) => {
    child.on('message', (message: FromDoor) => {
      if (message.kind === 'listening') resolve(message.port);
      if (message.kind === 'asked') child.send({ kind: 'answered', question: message.question, mayEnter: false });
    });
  });
  return { child, port };
}

test.skipIf(!existsSync('/proc/self/fd'))('nothing stays open of connections that were refused', async () => {
  const { child, port } = await forkDoor();
  const open = () => readdirSync(`/proc/${String(child.pid)}/fd`).length;
  const refuse = async () => {
    const client = connect(port, '127.0.0.1');
    opened.push(() => client.destroy());
    client.write(START_UP);
    await once(client.resume(), 'close');
  };
  await refuse();
  const before = open();
  await Promise.all(Array.from({ length: 20 }, refuse));
  await vi.waitFor(() => expect(open()).toBeLessThan(before + 5), { timeout: 10_000 });
});

test('it ends with a server that was killed while a connection was on its way to it', async () => {
  const server = `
    const { fork } = require('node:child_process');
    const door = fork(${JSON.stringify(MAIN)}, ['127.0.0.1'], { execArgv: ${JSON.stringify(LOADER)}, detached: true });
    door.on('message', ({ port }) => {
      require('node:fs').writeSync(1, String(port) + '\\n');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child = spawn(process.execPath, ['-e', server], { stdio: ['ignore', 'pipe', 'inherit'] });
  opened.push(() => child.kill('SIGKILL'));
  const [port] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const client = connect(Number(port), '127.0.0.1');
  opened.push(() => client.destroy());
  client.on('error', () => undefined);
  // CancelRequest: it enters without a question.
  client.write(Buffer.from([0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0, 1, 0, 0, 0, 1]));
  await new Promise((resolve) => setTimeout(resolve, 500));
  child.kill('SIGKILL');
  await once(client.resume(), 'close');
});
