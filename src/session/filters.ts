import { BACKEND } from '../wire/backend/message-type.ts';
import { decodeErrorResponse, encodeErrorResponse } from '../wire/backend/error-response.ts';
import { decodeNoticeResponse, encodeNoticeResponse } from '../wire/backend/notice-response.ts';
import { decodeRowDescription, encodeRowDescription } from '../wire/backend/row-description.ts';
import type { ResponseFields } from '../wire/backend/response-fields.ts';
import type { Rewrite } from '../query/pipeline.ts';
import type { ReplyFilter } from './expected.ts';

const HEADER = 5;

export function payload(message: Buffer): Buffer {
  return message.subarray(HEADER);
}

/** For messages of ours that have no place in what the client sent. */
export const NOTHING: ReplyFilter = { takes: () => true, apply: () => [] };

/** Changes what an error or notice says, and passes everything else on. */
export function mapResponses(map: (fields: ResponseFields) => ResponseFields): ReplyFilter {
  return {
    takes: (type) => type === BACKEND.errorResponse || type === BACKEND.noticeResponse,
    apply: (type, message) => [mapResponse(type, message, map)],
  };
}

/** For messages that are ours in the place of the client's: it sees only what goes wrong with them. */
export function onlyResponses(map: (fields: ResponseFields) => ResponseFields): ReplyFilter {
  return {
    takes: () => true,
    apply: (type, message) =>
      type === BACKEND.errorResponse || type === BACKEND.noticeResponse ? [mapResponse(type, message, map)] : [],
  };
}

/** What stays as it is keeps its bytes: they may be in another encoding than UTF-8. */
function mapResponse(type: number, message: Buffer, map: (fields: ResponseFields) => ResponseFields): Buffer {
  const isError = type === BACKEND.errorResponse;
  const { fields } = isError ? decodeErrorResponse(payload(message)) : decodeNoticeResponse(payload(message));
  const mapped = map(fields);
  if (mapped === fields) return message;
  return isError ? encodeErrorResponse({ fields: mapped }) : encodeNoticeResponse({ fields: mapped });
}

/** Columns of a hydrated relation say where they would have come from. */
export function patchOrigins(message: Buffer, origins: NonNullable<Rewrite['origins']>): Buffer {
  const { fields } = decodeRowDescription(payload(message));
  return encodeRowDescription({ fields: fields.map((field, index) => ({ ...field, ...origins[index] })) });
}
