import { MessageBuilder } from '../message-builder.ts';

export function encodeSync(): Buffer {
  return new MessageBuilder('S').finish();
}
