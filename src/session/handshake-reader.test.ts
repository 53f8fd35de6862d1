import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mutated } from '../../test/support/mutations.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import { encodeSASLInitialResponse } from '../wire/frontend/sasl-initial-response.ts';
import { encodeSASLResponse } from '../wire/frontend/sasl-response.ts';
import { encodeSSLRequest } from '../wire/frontend/ssl-request.ts';
import { encodeStartupMessage } from '../wire/frontend/startup-message.ts';
import { HandshakeReader, PeerGone } from './handshake-reader.ts';

const LIMIT = 1_000;

const startup = encodeStartupMessage({ version: { major: 3, minor: 0 }, parameters: [['user', 'x']] });
const messages = [
  encodeSASLInitialResponse({ mechanism: 'SCRAM-SHA-256', response: Buffer.from('n,,n=,r=abc') }),
  encodeSASLResponse({ data: Buffer.from('c=biws,r=abc,p=') }),
];

/** Written as they stand, then the end: the writer never waits. */
function streamOf(chunks: readonly Uint8Array[]): PassThrough {
  const stream = new PassThrough();
  for (const chunk of chunks) if (chunk.length > 0) stream.write(Buffer.from(chunk));
  stream.end();
  return stream;
}

function cut(bytes: Buffer, size: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
  return chunks;
}

test('reads packets and messages however they are cut, and hands over what is left', async () => {
  const bytes = Buffer.concat([encodeSSLRequest(), startup, ...messages]);
  for (const size of [1, 3, bytes.length]) {
    const reader = new HandshakeReader(streamOf(cut(bytes, size)));
    expect(await reader.startupPacket()).toMatchObject({ packet: { kind: 'ssl-request' } });
    expect(await reader.startupPacket()).toMatchObject({ packet: { kind: 'startup' } });
    expect(await reader.message(LIMIT)).toMatchObject({ type: 'p' });
    expect((await reader.message(LIMIT)).payload.toString()).toBe('c=biws,r=abc,p=');
    await expect(reader.message(LIMIT)).rejects.toBeInstanceOf(PeerGone);
    expect(reader.detach()).toHaveLength(0);
  }
});

test('refuses a message that says to be larger than allowed before it has come', async () => {
  const stream = new PassThrough();
  const reader = new HandshakeReader(stream);
  stream.write(Buffer.from('p\0\0\x04\0'));
  await expect(reader.message(LIMIT)).rejects.toThrow('invalid message length');
  stream.destroy();
});

test('of any bytes it makes packets and messages within the limit, refuses them, or sees their end', async () => {
  const known = fc.constant(Buffer.concat([startup, ...messages]));
  const stream = fc.oneof(
    fc.uint8Array({ maxLength: 3_000 }).map((bytes) => Buffer.from(bytes)),
    mutated(known),
  );
  await fc.assert(
    fc.asyncProperty(stream, fc.integer({ min: 1, max: 500 }), async (bytes, size) => {
      const reader = new HandshakeReader(streamOf(cut(bytes, size)));
      let read = 0;
      try {
        const { state } = await reader.startupPacket();
        if (state === 'tls') return;
        for (;;) {
          const { type, payload } = await reader.message(LIMIT);
          expect(type).toHaveLength(1);
          expect(payload.length).toBeLessThanOrEqual(LIMIT);
          read += payload.length;
        }
      } catch (error) {
        if (error instanceof PeerGone) return;
        expect(error).toBeInstanceOf(TrailhoundError);
        expect((error as TrailhoundError).code).toBe('protocol_violation');
      } finally {
        expect(read + reader.detach().length).toBeLessThanOrEqual(bytes.length);
      }
    }),
  );
});
