import { MessageBuilder } from '../message-builder.ts';
import { PayloadReader, violation } from '../payload-reader.ts';
import { CANCEL_REQUEST_CODE } from '../protocol.ts';

export interface CancelRequest {
  readonly pid: number;
  /** 4 bytes before protocol 3.2, else 4 to 256. */
  readonly key: Buffer;
}

/** `packet` is what follows the length word. */
export function decodeCancelRequest(packet: Buffer): CancelRequest {
  const reader = new PayloadReader(packet);
  if (reader.uint32() !== CANCEL_REQUEST_CODE) throw violation('invalid message format');
  const pid = reader.int32();
  const key = reader.rest();
  if (key.length === 0 || key.length > 256) throw violation('invalid length of query cancel packet');
  return { pid, key };
}

export function encodeCancelRequest(message: CancelRequest): Buffer {
  return new MessageBuilder(undefined).int32(CANCEL_REQUEST_CODE).int32(message.pid).bytes(message.key).finish();
}
