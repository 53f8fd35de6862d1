import type { LookupKey, LookupSource, SourceRecord } from '../source.ts';
import type { AbuseipdbClient } from './client.ts';
import { noResult } from './failures.ts';
import { daysOf, maxAgeOf } from './inputs.ts';
import { isPublicNetwork } from '../special-addresses.ts';

const DEFAULT_MAX_AGE_IN_DAYS = '30';

/** GET /check-block, https://docs.abuseipdb.com/#check-block-endpoint: one call a network, a row for each address of it that was reported. */
export function abuseipdbCheckBlockSource(client: AbuseipdbClient): LookupSource {
  return {
    kind: 'lookup',
    reach: daysOf('mostRecentReport', DEFAULT_MAX_AGE_IN_DAYS),
    limit: client.limit('check-block'),
    quota: client.quota('check-block'),
    variant: () => client.address('check-block'),
    // Where nobody on the internet is, nothing is reported.
    answerLocally: ({ key }) => (isPublicNetwork(key) ? undefined : []),
    lookup: async (key, _columns, context) => {
      const query = { network: key.key, maxAgeInDays: maxAgeOf(key, DEFAULT_MAX_AGE_IN_DAYS, client.name) };
      const { data } = await client.get('check-block', query, context);
      const addresses =
        typeof data === 'object' && data !== null && 'reportedAddress' in data ? data.reportedAddress : undefined;
      if (!Array.isArray(addresses)) throw noResult(client.name, 'has no list of addresses');
      return addresses.map((value: unknown) => recordOf(key, value));
    },
    close: () => client.close(),
  };
}

function recordOf(key: LookupKey, value: unknown): SourceRecord {
  return { value, added: {}, origin: () => `AbuseIPDB's answer for ${key.key}` };
}
