import { MessageBuilder } from '../message-builder.ts';
import { PayloadReader } from '../payload-reader.ts';

export interface Execute {
  readonly portal: string;
  /** 0: all. */
  readonly maxRows: number;
}

export function decodeExecute(payload: Buffer): Execute {
  const reader = new PayloadReader(payload);
  const portal = reader.cstring();
  const maxRows = reader.int32();
  reader.end();
  return { portal, maxRows };
}

export function encodeExecute(message: Execute): Buffer {
  return new MessageBuilder('E').cstring(message.portal).int32(message.maxRows).finish();
}
