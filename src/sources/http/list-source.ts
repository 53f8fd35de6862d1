import type { KeptAs, ScanSource } from '../source.ts';
import type { HttpClient } from './client.ts';
import { variantOf, type LookupDefinition } from './definition.ts';
import { noAnswer } from './failures.ts';
import { recordsIn } from './lookup-source.ts';
import { recordReader } from './records.ts';
import { parseUrlTemplate } from './url-template.ts';

/** A table that `trailhound.create_lookup()` made without a key: one request for all of its rows. */
export function httpListSource(definition: LookupDefinition, client: HttpClient): ScanSource | undefined {
  const template = parseUrlTemplate(definition.urlTemplate);
  const read = recordReader(definition);
  const target = template?.expand({});
  if (template === undefined || read === undefined || target === undefined) return undefined;
  const { name } = client.connection;
  return {
    kind: 'scan',
    quota: client.quota.perDay === undefined ? undefined : client.quota,
    plan: ({ predicates }) => ({
      pushed: predicates.map((predicate) => ({ predicate, exactness: 'none' })),
      empty: false,
      parts: [`all of ${template.origin}`],
      calls: 'one, or none where it is cached',
      notices: [],
    }),
    keptAs: ({ limit }) => {
      const as = (more: Readonly<Record<string, string>>): KeptAs => ({
        key: '',
        inputs: { '@variant': variantOf(definition), ...more },
      });
      return limit === undefined ? [as({})] : [as({}), as({ '@limit': String(limit) })];
    },
    scan: async function* scan(_request, context) {
      const { text, bytes } = await client.get(template.origin, target, context);
      if (text === undefined) throw noAnswer(name, 'says that there is no list');
      yield { records: recordsIn(text, definition.name, read, name), bytes };
    },
    close: () => Promise.resolve(),
  };
}
