import { encodeDataRow, decodeDataRow } from '../wire/backend/data-row.ts';
import { BACKEND } from '../wire/backend/message-type.ts';
import type { ResponseFields } from '../wire/backend/response-fields.ts';
import type { Rewrite } from '../query/pipeline.ts';
import type { ReplyFilter } from './expected.ts';
import { mapResponses, payload } from './filters.ts';

/** Holds back EXPLAIN's rows, and sends what the pipeline makes of them; text, json and xml look alike in both formats. */
export function explainFilter(
  explain: NonNullable<Rewrite['explain']>,
  map: (fields: ResponseFields) => ResponseFields,
): ReplyFilter {
  const lines: string[] = [];
  const responses = mapResponses(map);
  return {
    takes: () => true,
    apply: (type, message) => {
      if (responses.takes(type)) return responses.apply(type, message);
      if (type === BACKEND.dataRow) {
        lines.push(decodeDataRow(payload(message)).values[0]?.toString('utf8') ?? '');
        return [];
      }
      if (type !== BACKEND.commandComplete) return [message];
      return [...explain(lines).map((line) => encodeDataRow({ values: [Buffer.from(line)] })), message];
    },
  };
}
