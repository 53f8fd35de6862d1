import { MessageBuilder } from '../message-builder.ts';
import { SSL_REQUEST_CODE } from '../protocol.ts';

export function encodeSSLRequest(): Buffer {
  return new MessageBuilder(undefined).int32(SSL_REQUEST_CODE).finish();
}
