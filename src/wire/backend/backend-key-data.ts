import { MessageBuilder } from '../message-builder.ts';
import { PayloadReader, violation } from '../payload-reader.ts';

export interface BackendKeyData {
  readonly pid: number;
  /** 4 bytes before protocol 3.2, else 4 to 256. */
  readonly key: Buffer;
}

export function decodeBackendKeyData(payload: Buffer): BackendKeyData {
  const reader = new PayloadReader(payload);
  const pid = reader.int32();
  const key = reader.rest();
  if (key.length < 4 || key.length > 256) throw violation('invalid message format');
  return { pid, key };
}

export function encodeBackendKeyData(message: BackendKeyData): Buffer {
  return new MessageBuilder('K').int32(message.pid).bytes(message.key).finish();
}
