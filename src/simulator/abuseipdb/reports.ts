import type { KnownAddresses } from './known-addresses.ts';
import type { Query } from './parameters.ts';

/** GET /reports, https://docs.abuseipdb.com/#reports-endpoint: one page. `base` is the address of the API. */
export function reports(query: Query, known: KnownAddresses, base: string) {
  const ipAddress = query.ipAddress();
  const maxAgeInDays = query.maxAgeInDays();
  const page = query.integer('page', 'page', 1, 1_000_000, 1);
  const perPage = query.integer('perPage', 'per page', 1, 100, 25);
  const all = known.reports(ipAddress, maxAgeInDays);
  const results = all.slice((page - 1) * perPage, page * perPage);
  const lastPage = Math.max(1, Math.ceil(all.length / perPage));
  const urlOf = (number: number) =>
    number < 1 || number > lastPage
      ? null
      : `${base}reports?maxAgeInDays=${maxAgeInDays}&perPage=${perPage}&ipAddress=${encodeURIComponent(ipAddress)}&page=${number}`;
  return {
    data: {
      total: all.length,
      page,
      count: results.length,
      perPage,
      lastPage,
      nextPageUrl: urlOf(page + 1),
      previousPageUrl: urlOf(page - 1),
      results,
    },
  };
}
