import { MessageBuilder } from '../message-builder.ts';

export interface CopyData {
  readonly data: Buffer;
}

export function encodeCopyData(message: CopyData): Buffer {
  return new MessageBuilder('d').bytes(message.data).finish();
}
