import { MessageBuilder } from '../message-builder.ts';
import { PayloadReader, violation } from '../payload-reader.ts';

/** 0 text, 1 binary. */
export type Format = 0 | 1;

export interface BoundValue {
  readonly format: Format;
  /** A view on the message that it came in. */
  readonly value: Buffer | null;
}

export interface Bind {
  /** Empty: the unnamed portal. */
  readonly portal: string;
  readonly statement: string;
  readonly parameters: readonly BoundValue[];
  /** None: all text; one: for all columns; else one a column. */
  readonly resultFormats: readonly Format[];
}

export function decodeBind(payload: Buffer): Bind {
  const reader = new PayloadReader(payload);
  const portal = reader.cstring();
  const statement = reader.cstring();
  const formats = Array.from({ length: reader.count(2) }, () => formatOf(reader.int16()));
  const count = reader.count(4);
  if (formats.length > 1 && formats.length !== count) {
    throw violation(`bind message has ${formats.length} parameter formats but ${count} parameters`);
  }
  const shared = formats.length === 1 ? formats[0] : undefined;
  const parameters: BoundValue[] = [];
  for (let index = 0; index < count; index += 1) {
    const length = reader.int32();
    const value = length === -1 ? null : reader.bytes(length);
    parameters.push({ format: shared ?? formats[index] ?? 0, value });
  }
  const resultFormats = Array.from({ length: reader.count(2) }, () => formatOf(reader.int16()));
  reader.end();
  return { portal, statement, parameters, resultFormats };
}

export function encodeBind(message: Bind): Buffer {
  const builder = new MessageBuilder('B').cstring(message.portal).cstring(message.statement);
  builder.int16(message.parameters.length);
  for (const { format } of message.parameters) builder.int16(format);
  builder.int16(message.parameters.length);
  for (const { value } of message.parameters) {
    if (value === null) builder.int32(-1);
    else builder.int32(value.length).bytes(value);
  }
  builder.int16(message.resultFormats.length);
  for (const format of message.resultFormats) builder.int16(format);
  return builder.finish();
}

function formatOf(code: number): Format {
  if (code === 0 || code === 1) return code;
  throw violation(`unsupported format code: ${code}`);
}
