import { BlockList, isIPv6 } from 'node:net';
import { hash, pick } from '../hash.ts';

/** `data` of GET /check, in the order in which AbuseIPDB sends it. */
export interface AbuseIpdbAnswer {
  readonly ipAddress: string;
  readonly isPublic: boolean;
  readonly ipVersion: 4 | 6;
  /** Null where AbuseIPDB has never looked. */
  readonly isWhitelisted: boolean | null;
  /** 0 to 100. */
  readonly abuseConfidenceScore: number;
  readonly countryCode: string | null;
  /** Only with `verbose`. */
  readonly countryName?: string | null;
  readonly usageType: string | null;
  readonly isp: string | null;
  readonly domain: string | null;
  readonly hostnames: readonly string[];
  readonly isTor: boolean;
  readonly totalReports: number;
  readonly numDistinctUsers: number;
  /** ISO 8601 with an offset. */
  readonly lastReportedAt: string | null;
  /** Only with `verbose`. */
  readonly reports?: readonly AbuseIpdbReport[];
}

export interface AbuseIpdbReport {
  readonly reportedAt: string;
  readonly comment: string;
  readonly categories: readonly number[];
  readonly reporterId: number;
  readonly reporterCountryCode: string;
  readonly reporterCountryName: string;
}

const COUNTRIES = [
  ['NL', 'Netherlands'],
  ['DE', 'Germany'],
  ['US', 'United States of America'],
  ['SG', 'Singapore'],
  ['BR', 'Brazil'],
  ['RO', 'Romania'],
  ['JP', 'Japan'],
] as const;
const USAGE_TYPES = [
  'Data Center/Web Hosting/Transit',
  'Fixed Line ISP',
  'Mobile ISP',
  'Commercial',
  'University/College/School',
] as const;

/** An answer that is a function of the address, the UTC day, and what the world says about the address. */
export function answerFor(
  ipAddress: string,
  known: Partial<AbuseIpdbAnswer>,
  now: number,
  verbose: boolean,
): AbuseIpdbAnswer {
  const today = now - (now % 86_400_000);
  const answer = { ...(isReserved(ipAddress) ? reserved(ipAddress) : made(ipAddress, today)), ...known };
  const { countryName, reports, ...plain } = answer;
  if (!verbose) return plain;
  return {
    ...plain,
    countryName: countryName ?? COUNTRIES.find(([code]) => code === plain.countryCode)?.[1] ?? null,
    // AbuseIPDB sends 100 at most.
    reports: reports ?? reportsOf(plain, Math.min(plain.totalReports, 100)),
  };
}

function made(ipAddress: string, today: number): AbuseIpdbAnswer {
  const drawn = hash(ipAddress);
  // Half of all addresses were never reported.
  const score = drawn % 2 === 0 ? 0 : (drawn >>> 8) % 101;
  const totalReports = score === 0 ? 0 : 1 + ((drawn >>> 4) % 400);
  const [countryCode] = pick(COUNTRIES, `country ${ipAddress}`);
  const domain = `as${64_496 + (drawn % 16)}.example`;
  return {
    ipAddress,
    isPublic: true,
    ipVersion: isIPv6(ipAddress) ? 6 : 4,
    isWhitelisted: false,
    abuseConfidenceScore: score,
    countryCode,
    usageType: pick(USAGE_TYPES, `usage ${ipAddress}`),
    isp: `Example Network ${drawn % 16}`,
    domain,
    hostnames: drawn % 5 === 0 ? [`host-${drawn % 1_000}.${domain}`] : [],
    isTor: drawn % 23 === 0,
    totalReports,
    numDistinctUsers: Math.ceil(totalReports / 4),
    lastReportedAt: totalReports === 0 ? null : reportedAt(today, drawn % 72),
  };
}

function reserved(ipAddress: string): AbuseIpdbAnswer {
  return {
    ipAddress,
    isPublic: false,
    ipVersion: isIPv6(ipAddress) ? 6 : 4,
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

/** The latest of them, one an hour. */
export function reportsOf(
  { ipAddress, lastReportedAt }: Pick<AbuseIpdbAnswer, 'ipAddress' | 'lastReportedAt'>,
  count: number,
): readonly AbuseIpdbReport[] {
  if (lastReportedAt === null) return [];
  return Array.from({ length: count }, (_, index) => {
    const [reporterCountryCode, reporterCountryName] = pick(COUNTRIES, `${ipAddress} ${index}`);
    return {
      reportedAt: reportedAt(Date.parse(lastReportedAt), index),
      comment: 'Failed password for invalid user admin',
      // 18 brute force, 22 SSH.
      categories: [18, 22],
      reporterId: 10_000 + (hash(`${ipAddress} ${index}`) % 90_000),
      reporterCountryCode,
      reporterCountryName,
    };
  });
}

function reportedAt(now: number, hoursAgo: number): string {
  return new Date(now - hoursAgo * 3_600_000).toISOString().replace(/\.\d+Z$/, '+00:00');
}

/** IANA's special-purpose registries. */
const RESERVED = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  RESERVED.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
  ['2001:db8::', 32],
] as const) {
  RESERVED.addSubnet(network, prefix, 'ipv6');
}

function isReserved(ipAddress: string): boolean {
  return RESERVED.check(ipAddress, isIPv6(ipAddress) ? 'ipv6' : 'ipv4');
}
