import { MessageBuilder } from '../message-builder.ts';
import { PayloadReader } from '../payload-reader.ts';

/** The R messages; of the methods that need a password only SASL is ours. */
export type Authentication =
  | { readonly method: 'ok' }
  | { readonly method: 'sasl'; readonly mechanisms: readonly string[] }
  | { readonly method: 'sasl-continue'; readonly data: Buffer }
  | { readonly method: 'sasl-final'; readonly data: Buffer }
  /** Cleartext, MD5, GSSAPI, …: what we do not speak. */
  | { readonly method: 'other'; readonly code: number };

const OK = 0;
const SASL = 10;
const SASL_CONTINUE = 11;
const SASL_FINAL = 12;

export function decodeAuthentication(payload: Buffer): Authentication {
  const reader = new PayloadReader(payload);
  const code = reader.int32();
  if (code === SASL) return { method: 'sasl', mechanisms: readMechanisms(reader) };
  if (code === SASL_CONTINUE) return { method: 'sasl-continue', data: reader.rest() };
  if (code === SASL_FINAL) return { method: 'sasl-final', data: reader.rest() };
  if (code !== OK) return { method: 'other', code };
  reader.end();
  return { method: 'ok' };
}

export function encodeAuthentication(message: Exclude<Authentication, { method: 'other' }>): Buffer {
  const builder = new MessageBuilder('R');
  switch (message.method) {
    case 'ok':
      return builder.int32(OK).finish();
    case 'sasl':
      builder.int32(SASL);
      for (const mechanism of message.mechanisms) builder.cstring(mechanism);
      return builder.int8(0).finish();
    case 'sasl-continue':
      return builder.int32(SASL_CONTINUE).bytes(message.data).finish();
    case 'sasl-final':
      return builder.int32(SASL_FINAL).bytes(message.data).finish();
  }
}

function readMechanisms(reader: PayloadReader): string[] {
  const mechanisms: string[] = [];
  for (;;) {
    const mechanism = reader.cstring();
    if (mechanism === '') break;
    mechanisms.push(mechanism);
  }
  reader.end();
  return mechanisms;
}
