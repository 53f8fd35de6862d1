import { MessageBuilder } from '../message-builder.ts';
import { type ResponseFields, readFields, writeFields } from './response-fields.ts';

export interface NoticeResponse {
  readonly fields: ResponseFields;
}

export function decodeNoticeResponse(payload: Buffer): NoticeResponse {
  return { fields: readFields(payload) };
}

export function encodeNoticeResponse(message: NoticeResponse): Buffer {
  return writeFields(new MessageBuilder('N'), message.fields);
}
