import { MessageBuilder } from '../message-builder.ts';

export function encodeTerminate(): Buffer {
  return new MessageBuilder('X').finish();
}
