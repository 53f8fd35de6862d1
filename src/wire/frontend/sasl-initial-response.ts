import { MessageBuilder } from '../message-builder.ts';
import { PayloadReader } from '../payload-reader.ts';

export interface SASLInitialResponse {
  readonly mechanism: string;
  /** Null: the client sent none. */
  readonly response: Buffer | null;
}

export function decodeSASLInitialResponse(payload: Buffer): SASLInitialResponse {
  const reader = new PayloadReader(payload);
  const mechanism = reader.cstring();
  const length = reader.int32();
  const response = length === -1 ? null : reader.bytes(length);
  reader.end();
  return { mechanism, response };
}

export function encodeSASLInitialResponse(message: SASLInitialResponse): Buffer {
  const builder = new MessageBuilder('p').cstring(message.mechanism);
  if (message.response === null) return builder.int32(-1).finish();
  return builder.int32(message.response.length).bytes(message.response).finish();
}
