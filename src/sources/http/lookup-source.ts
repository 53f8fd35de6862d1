import { isInternetAddress } from '../internet-address.ts';
import { SourceError, type LookupKey, type LookupSource, type SourceRecord } from '../source.ts';
import type { HttpClient } from './client.ts';
import { variantOf, type LookupDefinition } from './definition.ts';
import { noAnswer } from './failures.ts';
import { JsonRefused } from './parse-json.ts';
import { recordReader, type RecordsOf } from './records.ts';
import { LONGEST_TARGET, parseUrlTemplate } from './url-template.ts';

/** A table that `trailhound.create_lookup()` made with a key: one request a key. */
export function httpLookupSource(definition: LookupDefinition, client: HttpClient): LookupSource | undefined {
  const template = parseUrlTemplate(definition.urlTemplate);
  const read = recordReader(definition);
  const key = definition.columns.find((column) => column.key === true);
  if (template === undefined || read === undefined || key === undefined) return undefined;
  // A wrong path is answered as an unknown key is.
  let isAnswering = false;
  const values = (asked: LookupKey) => ({ ...asked.inputs, [key.name]: asked.key });
  return {
    kind: 'lookup',
    limit: client.limit,
    quota: client.quota.perDay === undefined ? undefined : client.quota,
    variant: () => variantOf(definition),
    answerLocally: (asked) => {
      if (key.type === 'inet' && asked.key.includes('/')) return [];
      if (key.public_only === true && !isInternetAddress(asked.key)) return [];
      // No URL of the service's is that of such a value, and so no row.
      return template.expand(values(asked)) === undefined ? [] : undefined;
    },
    lookup: async (asked, _columns, context) => {
      const target = template.expand(values(asked)) ?? '';
      if (target.length > LONGEST_TARGET) throw tooLong(key.name, client.connection.name);
      const { status, text } = await client.get(template.origin, target, context);
      if (text === undefined) {
        if (!isAnswering) context.notice('NOTICE', nothingYet(definition, status));
        return [];
      }
      isAnswering = true;
      return recordsIn(text, asked.key, read, client.connection.name);
    },
    close: () => Promise.resolve(),
  };
}

/** Throws what the statement fails with. */
export function recordsIn(text: string, of: string, read: RecordsOf, connection: string): readonly SourceRecord[] {
  try {
    return read(text, of);
  } catch (error) {
    if (!(error instanceof JsonRefused)) throw error;
    throw noAnswer(connection, error.message, `It is the answer for ${of}, of ${text.length} characters.`, error.hint);
  }
}

function nothingYet({ name, connection }: LookupDefinition, status: number): string {
  return `${name} has been answered nothing but ${status} so far, which connections.${connection}.not_found takes for "no row": if that is so for every key, its url_template is wrong`;
}

function tooLong(column: string, connection: string): SourceError {
  return new SourceError('invalid_request', connection, `a value of ${column} is too long to stand in a URL`, {
    detail: 'No call was made for it.',
    hint: `Leave it out, as by a condition on length(${column}).`,
  });
}
