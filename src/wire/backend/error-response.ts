import { MessageBuilder } from '../message-builder.ts';
import { type ResponseFields, readFields, writeFields } from './response-fields.ts';

export interface ErrorResponse {
  readonly fields: ResponseFields;
}

export function decodeErrorResponse(payload: Buffer): ErrorResponse {
  return { fields: readFields(payload) };
}

export function encodeErrorResponse(message: ErrorResponse): Buffer {
  return writeFields(new MessageBuilder('E'), message.fields);
}
