import { MessageBuilder } from '../message-builder.ts';

export interface CopyFail {
  /** Becomes part of PostgreSQL's error message. */
  readonly reason: string;
}

export function encodeCopyFail(message: CopyFail): Buffer {
  return new MessageBuilder('f').cstring(message.reason).finish();
}
