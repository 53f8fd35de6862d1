import { MessageBuilder } from '../message-builder.ts';
import { PayloadReader, violation } from '../payload-reader.ts';
import { type ProtocolVersion, packVersion, unpackVersion } from '../protocol.ts';

export interface StartupMessage {
  readonly version: ProtocolVersion;
  /** In the client's order; a name may stand twice, the last one counts. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

/** `packet` is what follows the length word. */
export function decodeStartupMessage(packet: Buffer): StartupMessage {
  const reader = new PayloadReader(packet);
  const version = unpackVersion(reader.uint32());
  const parameters: (readonly [string, string])[] = [];
  // Checked first, so that every name ends within the packet.
  if (packet.at(-1) !== 0) throw badTerminator();
  while (reader.remaining > 1) {
    const name = reader.cstring();
    if (name === '' || reader.remaining === 0) throw badTerminator();
    parameters.push([name, reader.cstring()]);
  }
  if (reader.remaining !== 1 || reader.int8() !== 0) throw badTerminator();
  return { version, parameters };
}

export function encodeStartupMessage(message: StartupMessage): Buffer {
  const builder = new MessageBuilder(undefined).int32(packVersion(message.version));
  for (const [name, value] of message.parameters) builder.cstring(name).cstring(value);
  return builder.int8(0).finish();
}

function badTerminator() {
  return violation('invalid startup packet layout: expected terminator as last byte');
}
