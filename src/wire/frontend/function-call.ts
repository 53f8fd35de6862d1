import { MessageBuilder } from '../message-builder.ts';
import type { BoundValue, Format } from './bind.ts';

/** The "fast path", which pgjdbc uses for large objects. */
export interface FunctionCall {
  readonly oid: number;
  readonly arguments: readonly BoundValue[];
  readonly resultFormat: Format;
}

export function encodeFunctionCall(message: FunctionCall): Buffer {
  const builder = new MessageBuilder('F').int32(message.oid).int16(message.arguments.length);
  for (const { format } of message.arguments) builder.int16(format);
  builder.int16(message.arguments.length);
  for (const { value } of message.arguments) {
    if (value === null) builder.int32(-1);
    else builder.int32(value.length).bytes(value);
  }
  return builder.int16(message.resultFormat).finish();
}
