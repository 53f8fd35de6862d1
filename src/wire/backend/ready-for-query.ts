import { MessageBuilder } from '../message-builder.ts';
import { PayloadReader, violation } from '../payload-reader.ts';

/** I idle, T in a transaction block, E in a failed one. */
export type TransactionStatus = 'I' | 'T' | 'E';

export interface ReadyForQuery {
  readonly status: TransactionStatus;
}

export function decodeReadyForQuery(payload: Buffer): ReadyForQuery {
  const reader = new PayloadReader(payload);
  const status = String.fromCharCode(reader.int8());
  reader.end();
  if (status !== 'I' && status !== 'T' && status !== 'E') throw violation('invalid message format');
  return { status };
}

export function encodeReadyForQuery(message: ReadyForQuery): Buffer {
  return new MessageBuilder('Z').int8(message.status.charCodeAt(0)).finish();
}
