import type { ScanSource, SourceRecord } from '../source.ts';
import { CATEGORIES } from './categories.ts';

/** AbuseIPDB's categories of reports: known without a call. */
export function abuseipdbCategorySource(): ScanSource {
  return {
    kind: 'scan',
    plan: ({ predicates }) => ({
      pushed: predicates.map((predicate) => ({ predicate, exactness: 'none' })),
      empty: false,
      parts: ['known without a call'],
      calls: 'none',
      notices: [],
    }),
    scan: async function* scan() {
      yield { records: CATEGORIES.map(recordOf), bytes: 0 };
    },
    close: () => Promise.resolve(),
  };
}

function recordOf([id, title, description]: (typeof CATEGORIES)[number]): SourceRecord {
  return { value: { id, title, description }, added: {}, origin: () => `category ${id}` };
}
