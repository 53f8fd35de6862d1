import { isInternetAddress } from '../internet-address.ts';
import { SourceError, type CallContext, type LookupKey, type LookupSource, type SourceRecord } from '../source.ts';
import type { HttpClient } from './client.ts';
import type { LookupDefinition } from './definition.ts';
import { noAnswer } from './failures.ts';
import { JsonRefused } from './parse-json.ts';
import { recordReader, type RecordsOf } from './records.ts';
import { LONGEST_TARGET, parseUrlTemplate, type UrlTemplate } from './url-template.ts';

/** A table that `trailhound.create_lookup()` made with a key: one request a key. */
export function httpLookupSource(definition: LookupDefinition, client: HttpClient): LookupSource | undefined {
  const template = parseUrlTemplate(definition.urlTemplate);
  const read = recordReader(definition);
  const key = definition.columns.find((column) => column.key === true);
  if (template === undefined || read === undefined || key === undefined) return undefined;
  const values = (asked: LookupKey) => ({ ...asked.inputs, [key.name]: asked.key });
  return {
    kind: 'lookup',
    limit: client.limit,
    quota: client.quota.perDay === undefined ? undefined : client.quota,
    variant: () => `definition ${definition.id}`,
    answerLocally: (asked) => {
      if (key.type === 'inet' && asked.key.includes('/')) return [];
      if (key.public_only === true && !isInternetAddress(asked.key)) return [];
      // No URL of the service's is that of such a value, and so no row.
      return template.expand(values(asked)) === undefined ? [] : undefined;
    },
    lookup: async (asked, _columns, context) => {
      const target = template.expand(values(asked)) ?? '';
      if (target.length > LONGEST_TARGET) throw tooLong(key.name, client.connection.name);
      return readFrom(client, template, target, { read, of: asked.key, context });
    },
    close: () => Promise.resolve(),
  };
}

interface Asked {
  readonly read: RecordsOf;
  readonly of: string;
  readonly context: CallContext;
}

async function readFrom(
  client: HttpClient,
  template: UrlTemplate,
  target: string,
  { read, of, context }: Asked,
): Promise<readonly SourceRecord[]> {
  const { text } = await client.get(template.origin, target, context);
  return text === undefined ? [] : recordsIn(text, of, read, client.connection.name);
}

/** Throws what the statement fails with. */
export function recordsIn(text: string, of: string, read: RecordsOf, connection: string): readonly SourceRecord[] {
  try {
    return read(text, of);
  } catch (error) {
    if (!(error instanceof JsonRefused)) throw error;
    throw noAnswer(connection, error.message, `It is the answer for ${of}, of ${text.length} characters.`);
  }
}

function tooLong(column: string, connection: string): SourceError {
  return new SourceError('invalid_request', connection, `a value of ${column} is too long to stand in a URL`, {
    detail: 'No call was made for it.',
    hint: `Leave it out, as by a condition on length(${column}).`,
  });
}
