import { MessageBuilder } from '../message-builder.ts';

export interface SASLResponse {
  readonly data: Buffer;
}

export function decodeSASLResponse(payload: Buffer): SASLResponse {
  return { data: payload };
}

export function encodeSASLResponse(message: SASLResponse): Buffer {
  return new MessageBuilder('p').bytes(message.data).finish();
}
