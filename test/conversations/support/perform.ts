import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { decodeBackendKeyData } from '../../../src/wire/backend/backend-key-data.ts';
import { WireClient, type WireMessage } from '../../session/support/wire-client.ts';
import { until } from '../../roads/support/until.ts';
import { heard } from './heard.ts';
import { ofSide, type Item, type Side } from './script.ts';
import { spoken, type CancelKey } from './spoken.ts';
import type { World } from './world.ts';

/** How bytes leave: a run of messages in one write, or each byte in a write of its own. */
export type Writing = 'at once' | 'byte by byte';

/** Speaks a conversation; what comes back are its lines, with what was heard in place of what was expected. */
export async function perform(world: World, items: readonly Item[], side: Side, writing: Writing): Promise<string[]> {
  const lines: string[] = [];
  const connections = new Map<string, Connection>();
  const connectionOf = async (name: string): Promise<Connection> => {
    const known = connections.get(name);
    if (known !== undefined) return known;
    const opened = await connect(world, side, false, writing);
    connections.set(name, opened);
    return opened;
  };
  try {
    for (const item of ofSide(items, side)) {
      if (item.kind === 'receive') {
        const connection = await connectionOf(item.connection);
        for (const line of await connection.hear(item.words)) {
          lines.push(`${item.line.slice(0, item.line.indexOf(' '))} ${line}`);
        }
        continue;
      }
      lines.push(item.line);
      if (item.kind === 'connect') connections.set(item.connection, await connect(world, side, item.raw, writing));
      if (item.kind === 'send') {
        const connection = await connectionOf(item.connection);
        if (item.words === 'log in') await connection.proveIdentity();
        else connection.say(spoken(item.words, () => keyOf(connections.get('1'))));
      }
      if (item.kind === 'wait') {
        for (const connection of connections.values()) await connection.write();
        await until(async () => (await world.running()) > 0);
      }
    }
    return lines;
  } finally {
    for (const connection of connections.values()) connection.close();
  }
}

async function connect(world: World, side: Side, raw: boolean, writing: Writing): Promise<Connection> {
  const connection = new Connection(world, await world.open(side), writing);
  if (!raw) await connection.logIn(side);
  return connection;
}

function keyOf(connection: Connection | undefined): CancelKey {
  if (connection?.key === undefined) throw new Error('nobody is logged in');
  return connection.key;
}

const SINGLE_BYTE = /^byte "(.)"$/u;

class Connection {
  key: CancelKey | undefined;
  readonly #world: World;
  readonly #stream: Duplex;
  readonly #writing: Writing;
  #client: WireClient | undefined;
  #said: Buffer[] = [];

  constructor(world: World, stream: Duplex, writing: Writing) {
    this.#world = world;
    this.#stream = stream;
    this.#writing = writing;
    // A reset is an end like another.
    stream.on('error', () => stream.destroy());
  }

  say(bytes: Buffer): void {
    this.#said.push(bytes);
  }

  async write(): Promise<void> {
    const bytes = Buffer.concat(this.#said.splice(0));
    if (bytes.length === 0) return;
    if (this.#writing === 'at once') {
      this.#stream.write(bytes);
      return;
    }
    for (const byte of bytes) {
      this.#stream.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async logIn(side: Side): Promise<void> {
    this.#client ??= new WireClient(this.#stream);
    const messages = await this.#world.logIn(this.#client, side);
    const key = messages.find(({ type }) => type === 'K');
    if (key !== undefined) this.key = decodeBackendKeyData(key.payload);
  }

  async proveIdentity(): Promise<void> {
    await this.write();
    this.#client ??= new WireClient(this.#stream);
    await this.#world.proveIdentity(this.#client);
  }

  /** What came in the place of an expected line: one message, all up to one, one byte, the end. */
  async hear(expected: string): Promise<readonly string[]> {
    await this.write();
    if (SINGLE_BYTE.test(expected)) return [`byte ${JSON.stringify(await this.#byte())}`];
    this.#client ??= new WireClient(this.#stream);
    if (expected === 'nothing yet') return [await this.#nothingYet(this.#client)];
    const [, name, count = '1'] = /^\.\.\. (\w+|end)(?: (\d+))?$/u.exec(expected) ?? [];
    if (name === undefined) return [this.#line(await this.#client.next())];
    const lines: string[] = [];
    for (let left = Number(count); left > 0;) {
      const line = this.#line(await this.#client.next());
      lines.push(line);
      if (line === 'end') break;
      if (line.split(' ')[0] === name) left -= 1;
    }
    return lines;
  }

  close(): void {
    this.#stream.destroy();
  }

  #line(message: WireMessage | undefined): string {
    if (message === undefined) return 'end';
    if (message.type === 'K') this.key = decodeBackendKeyData(message.payload);
    return heard(message);
  }

  /** Whoever was first has been answered by the time that others, who came later, have been. */
  async #nothingYet(client: WireClient): Promise<string> {
    for (let round = 0; round < 3; round += 1) await this.#world.engine.pool.query('select 1');
    return client.pending === 0 ? 'nothing yet' : 'something';
  }

  async #byte(): Promise<string> {
    for (;;) {
      const byte = this.#stream.read(1) as Buffer | null;
      if (byte !== null) return byte.toString('latin1');
      if (this.#stream.readableEnded || this.#stream.destroyed) return 'end';
      await Promise.race([once(this.#stream, 'readable'), once(this.#stream, 'close')]);
    }
  }
}
