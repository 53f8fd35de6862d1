import { MessageBuilder } from '../message-builder.ts';
import { GSSENC_REQUEST_CODE } from '../protocol.ts';

export function encodeGSSENCRequest(): Buffer {
  return new MessageBuilder(undefined).int32(GSSENC_REQUEST_CODE).finish();
}
