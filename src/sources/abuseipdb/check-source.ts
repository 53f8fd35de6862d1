import { isIPv4 } from 'node:net';
import type { Column } from '../../catalog/table.ts';
import type { LookupKey, LookupSource, SourceRecord } from '../source.ts';
import type { AbuseipdbClient } from './client.ts';
import { noResult } from './failures.ts';
import { maxAgeOf } from './inputs.ts';
import { isPublicAddress } from '../special-addresses.ts';

const DEFAULT_MAX_AGE_IN_DAYS = '90';

/** GET /check, https://docs.abuseipdb.com/#check-endpoint: one call an address. */
export function abuseipdbCheckSource(client: AbuseipdbClient): LookupSource {
  return {
    kind: 'lookup',
    limit: client.limit('check'),
    quota: client.quota('check'),
    variant: (columns) => `${client.address('check')}${wantsReports(columns) ? '?verbose' : ''}`,
    answerLocally: (key) => {
      // A network is no address: it equals no row.
      if (key.key.includes('/')) return [];
      return isPublicAddress(key.key) ? undefined : [recordOf(key, reservedAddress(key.key), undefined)];
    },
    lookup: async (key, columns, context) => {
      const query = {
        ipAddress: key.key,
        maxAgeInDays: maxAgeOf(key, DEFAULT_MAX_AGE_IN_DAYS, client.name),
        ...(wantsReports(columns) && { verbose: '' }),
      };
      const { data } = await client.get('check', query, context);
      if (Array.isArray(data)) throw noResult(client.name, 'is a list');
      return [recordOf(key, data, new Date().toISOString())];
    },
    close: () => client.close(),
  };
}

function wantsReports(columns: readonly Column[]): boolean {
  return columns.some(({ path }) => path === 'reports');
}

function recordOf(key: LookupKey, value: unknown, fetchedAt: string | undefined): SourceRecord {
  return {
    value,
    added: {
      ip_address: key.key,
      max_age_in_days: key.inputs['max_age_in_days'] ?? DEFAULT_MAX_AGE_IN_DAYS,
      fetched_at: fetchedAt,
    },
    origin: () => `AbuseIPDB's answer for ${key.key}`,
  };
}

/** As the API answers for such an address. */
function reservedAddress(address: string): object {
  return {
    ipAddress: address,
    isPublic: false,
    ipVersion: isIPv4(address) ? 4 : 6,
    isWhitelisted: false,
    abuseConfidenceScore: 0,
    countryCode: null,
    usageType: 'Reserved',
    isp: null,
    domain: null,
    hostnames: [],
    isTor: false,
    totalReports: 0,
    numDistinctUsers: 0,
    lastReportedAt: null,
  };
}
