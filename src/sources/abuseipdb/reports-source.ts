import { nearestDouble } from '../exact-number.ts';
import type { CallContext, LookupKey, LookupSource, SourceRecord } from '../source.ts';
import type { AbuseipdbClient } from './client.ts';
import { noResult } from './failures.ts';
import { daysOf, maxAgeOf } from './inputs.ts';
import { isPublicAddress } from '../special-addresses.ts';

const DEFAULT_MAX_AGE_IN_DAYS = '30';
/** The API's own limit. */
const PER_PAGE = 100;

/** GET /reports, https://docs.abuseipdb.com/#reports-endpoint: all pages, one call each, a row a report. */
export function abuseipdbReportsSource(client: AbuseipdbClient): LookupSource {
  return {
    kind: 'lookup',
    reach: daysOf('reportedAt', DEFAULT_MAX_AGE_IN_DAYS),
    limit: client.limit('reports'),
    quota: client.quota('reports'),
    variant: () => client.address('reports'),
    // A network is no address, and nothing is reported of an address that nobody on the internet has.
    answerLocally: ({ key }) => (key.includes('/') || !isPublicAddress(key) ? [] : undefined),
    lookup: async (key, _columns, context) => {
      const reports: SourceRecord[] = [];
      for (let page = 1; ; page += 1) {
        const { results, lastPage } = await pageOf(client, key, page, context);
        reports.push(...results.map((value) => recordOf(key, value)));
        if (page >= lastPage) return reports;
      }
    },
    close: () => client.close(),
  };
}

async function pageOf(client: AbuseipdbClient, key: LookupKey, page: number, context: CallContext) {
  const query = {
    ipAddress: key.key,
    maxAgeInDays: maxAgeOf(key, DEFAULT_MAX_AGE_IN_DAYS, client.name),
    page: String(page),
    perPage: String(PER_PAGE),
  };
  const { data } = await client.get('reports', query, context);
  const { results, lastPage: last } = data as { readonly results?: unknown; readonly lastPage?: unknown };
  const lastPage = nearestDouble(last);
  if (!Array.isArray(results) || !Number.isSafeInteger(lastPage))
    throw noResult(client.name, `has no page ${page} of reports`);
  return { results: results as readonly unknown[], lastPage: lastPage as number };
}

function recordOf(key: LookupKey, value: unknown): SourceRecord {
  return { value, added: {}, origin: () => `a report of ${key.key} at AbuseIPDB` };
}
