import { MessageBuilder } from '../message-builder.ts';

export function encodeCopyDone(): Buffer {
  return new MessageBuilder('c').finish();
}
