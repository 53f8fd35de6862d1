import { MessageBuilder } from '../message-builder.ts';
import { PayloadReader } from '../payload-reader.ts';
import { type ProtocolVersion, packVersion, unpackVersion } from '../protocol.ts';

export interface NegotiateProtocolVersion {
  /** The newest that the server speaks. */
  readonly version: ProtocolVersion;
  /** `_pq_.` options that the server does not know. */
  readonly unrecognized: readonly string[];
}

export function decodeNegotiateProtocolVersion(payload: Buffer): NegotiateProtocolVersion {
  const reader = new PayloadReader(payload);
  const version = unpackVersion(reader.uint32());
  const count = reader.uint32();
  const unrecognized: string[] = [];
  while (unrecognized.length < count) unrecognized.push(reader.cstring());
  reader.end();
  return { version, unrecognized };
}

export function encodeNegotiateProtocolVersion(message: NegotiateProtocolVersion): Buffer {
  const builder = new MessageBuilder('v').int32(packVersion(message.version)).int32(message.unrecognized.length);
  for (const name of message.unrecognized) builder.cstring(name);
  return builder.finish();
}
