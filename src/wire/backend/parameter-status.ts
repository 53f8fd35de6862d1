import { MessageBuilder } from '../message-builder.ts';
import { PayloadReader } from '../payload-reader.ts';

export interface ParameterStatus {
  readonly name: string;
  readonly value: string;
}

export function decodeParameterStatus(payload: Buffer): ParameterStatus {
  const reader = new PayloadReader(payload);
  const name = reader.cstring();
  const value = reader.cstring();
  reader.end();
  return { name, value };
}

export function encodeParameterStatus(message: ParameterStatus): Buffer {
  return new MessageBuilder('S').cstring(message.name).cstring(message.value).finish();
}
