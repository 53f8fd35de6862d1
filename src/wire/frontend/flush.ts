import { MessageBuilder } from '../message-builder.ts';

export function encodeFlush(): Buffer {
  return new MessageBuilder('H').finish();
}
