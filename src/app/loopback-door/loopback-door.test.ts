import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { APPLICATION_NAME } from '../../engine/caller.ts';
import { createLogger } from '../../kernel/log.ts';
import { encodeStartupMessage } from '../../wire/frontend/startup-message.ts';
import { LoopbackDoor } from './loopback-door.ts';

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
