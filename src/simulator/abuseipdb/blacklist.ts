import { hash } from '../hash.ts';
import type { AbuseIpdbWorld } from '../world.ts';
import type { KnownAddresses } from './known-addresses.ts';
import type { Query } from './parameters.ts';

/** Of a free plan. */
const MOST = 10_000;

/** GET /blacklist, https://docs.abuseipdb.com/#blacklist-endpoint: the most reported first. */
export function blacklist(query: Query, { blacklist: world = {} }: AbuseIpdbWorld, known: KnownAddresses, now: number) {
  const minimum = query.integer('confidenceMinimum', 'confidence minimum', 25, 100, 100);
  const limit = query.integer('limit', 'limit', 1, 500_000, MOST);
  const least = world.onlyCertain === true ? 100 : minimum;
  const { most = MOST, made = 40 } = world;
  const entries = [...known.named, ...Array.from({ length: made }, (_, index) => addressOf(index))]
    .map((address) => known.answer(address, 365))
    .filter(({ isPublic, abuseConfidenceScore }) => isPublic && abuseConfidenceScore >= least)
    .sort((a, b) => b.abuseConfidenceScore - a.abuseConfidenceScore)
    .slice(0, Math.min(limit, most));
  return {
    meta: { generatedAt: new Date(now).toISOString().replace(/\.\d+Z$/, '+00:00') },
    data: entries.map(({ ipAddress, countryCode, abuseConfidenceScore, lastReportedAt }) => ({
      ipAddress,
      countryCode,
      abuseConfidenceScore,
      lastReportedAt,
    })),
  };
}

/** In blocks that are not announced, as the demo's. */
function addressOf(index: number): string {
  const drawn = hash(`blacklist ${index}`);
  return `33.${drawn % 256}.${(drawn >>> 8) % 256}.${(drawn >>> 16) % 256}`;
}
