import { decodeRowDescription, encodeRowDescription } from '../../../src/wire/backend/row-description.ts';
import { encodeBind } from '../../../src/wire/frontend/bind.ts';
import { encodeClose } from '../../../src/wire/frontend/close.ts';
import { encodeDescribe } from '../../../src/wire/frontend/describe.ts';
import { encodeExecute } from '../../../src/wire/frontend/execute.ts';
import { encodeFlush } from '../../../src/wire/frontend/flush.ts';
import { encodeParse } from '../../../src/wire/frontend/parse.ts';
import { encodeQuery } from '../../../src/wire/frontend/query.ts';
import { encodeSync } from '../../../src/wire/frontend/sync.ts';
import type { WireClient, WireMessage } from './wire-client.ts';

/** Short words for what a client sends. */
export const say = {
  query: (text: string) => encodeQuery({ text }),
  parse: (text: string, statement = '', parameterTypes: readonly number[] = []) =>
    encodeParse({ statement, text, parameterTypes }),
  bind: (
    values: readonly (string | null)[] = [],
    statement = '',
    portal = '',
    resultFormats: readonly (0 | 1)[] = [],
  ) =>
    encodeBind({
      portal,
      statement,
      parameters: values.map((value) => ({ format: 0 as const, value: value === null ? null : Buffer.from(value) })),
      resultFormats,
    }),
  describe: (target: 'S' | 'P', name = '') => encodeDescribe({ target, name }),
  execute: (maxRows = 0, portal = '') => encodeExecute({ portal, maxRows }),
  close: (target: 'S' | 'P', name = '') => encodeClose({ target, name }),
  sync: () => encodeSync(),
  flush: () => encodeFlush(),
};

/** Sends some messages, then reads up to the `count`-th message of a type, or to the end of the connection. */
export interface Step {
  readonly send: readonly Buffer[];
  readonly until: string;
  readonly count?: number;
}

export async function converse(client: WireClient, steps: readonly Step[], write = sendAtOnce): Promise<string[]> {
  const lines: string[] = [];
  for (const { send, until, count = 1 } of steps) {
    await write(client, Buffer.concat(send));
    const messages = await client.until(until, count);
    lines.push(...messages.map(line));
    if (messages.filter((message) => message.type === until).length < count) lines.push('end');
  }
  client.close();
  return lines;
}

async function sendAtOnce(client: WireClient, bytes: Buffer): Promise<void> {
  client.send(bytes);
}

/** Each byte in a segment of its own, as far as the system lets us. */
export async function sendByteByByte(client: WireClient, bytes: Buffer): Promise<void> {
  for (const byte of bytes) {
    client.send(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** One message as a line: what differs between any two sessions is masked, and where a column comes from. */
export function line(message: WireMessage): string {
  if (message.type === 'K') return 'K';
  if (message.type === 'A') return `A ${printable(message.payload.subarray(4))}`;
  if (message.type !== 'T') return `${message.type} ${printable(message.payload)}`;
  const { fields } = decodeRowDescription(message.payload);
  const encoded = encodeRowDescription({ fields: fields.map((field) => ({ ...field, tableOid: 0, attnum: 0 })) });
  return `T ${printable(encoded.subarray(5))}`;
}

function printable(payload: Buffer): string {
  return payload.toString('latin1').replaceAll(/[^\x20-\x7e]/gu, (char) => `\\${char.charCodeAt(0).toString(16)}`);
}
