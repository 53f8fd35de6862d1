import type { AbuseIpdbAnswer } from '../abuseipdb/answer.ts';

/**
 * The demo's public addresses. The ranges for documentation will not do: they are reserved, and never looked up. These
 * count upwards, in blocks that are not announced on the Internet, so that nobody's address stands accused.
 */
export const ADDRESSES = {
  office: '11.12.13.14',
  aliceAtHome: '21.22.23.24',
  bobOnTheRoad: '26.27.28.29',
  carolAtHome: '2d00:1122:3344::5566',
  ci: '28.29.30.31',
  /** Where the workloads' traffic leaves. */
  nat: '29.30.31.32',
  /** The same one as an old appliance writes it. */
  natWithZeros: '029.030.031.032',
  scout: '30.31.32.33',
  hosting: '22.33.44.55',
  tor: '33.44.55.66',
  guesser: '55.66.77.88',
} as const;

/** What AbuseIPDB says of them. */
export function abuseIpdbAnswers(now: Date): Readonly<Record<string, Partial<AbuseIpdbAnswer>>> {
  const hoursAgo = (hours: number): string =>
    new Date(now.getTime() - hours * 3_600_000).toISOString().replace(/\.\d+Z$/, '+00:00');
  const clean = { abuseConfidenceScore: 0, totalReports: 0, numDistinctUsers: 0, lastReportedAt: null, isTor: false };
  return {
    [ADDRESSES.office]: {
      ...clean,
      countryCode: 'US',
      countryName: 'United States of America',
      usageType: 'Commercial',
      isp: 'Example Office Fiber',
      domain: 'office.example',
      hostnames: ['gateway.office.example'],
    },
    [ADDRESSES.aliceAtHome]: {
      ...clean,
      countryCode: 'NL',
      countryName: 'Netherlands',
      usageType: 'Fixed Line ISP',
      isp: 'Example Cable',
      domain: 'cable.example',
      hostnames: [],
    },
    [ADDRESSES.bobOnTheRoad]: {
      ...clean,
      abuseConfidenceScore: 3,
      totalReports: 2,
      numDistinctUsers: 2,
      lastReportedAt: hoursAgo(24 * 19),
      countryCode: 'DE',
      countryName: 'Germany',
      usageType: 'Mobile ISP',
      isp: 'Example Mobile',
      domain: 'mobile.example',
      hostnames: [],
    },
    [ADDRESSES.carolAtHome]: {
      ...clean,
      countryCode: 'US',
      countryName: 'United States of America',
      usageType: 'Fixed Line ISP',
      isp: 'Example Fiber To The Home',
      domain: 'ftth.example',
      hostnames: [],
    },
    [ADDRESSES.ci]: {
      ...clean,
      abuseConfidenceScore: 4,
      totalReports: 5,
      numDistinctUsers: 3,
      lastReportedAt: hoursAgo(24 * 11),
      countryCode: 'US',
      countryName: 'United States of America',
      usageType: 'Data Center/Web Hosting/Transit',
      isp: 'Example Build Cloud',
      domain: 'build.example',
      hostnames: [],
    },
    [ADDRESSES.nat]: {
      ...clean,
      countryCode: 'IE',
      countryName: 'Ireland',
      usageType: 'Data Center/Web Hosting/Transit',
      isp: 'Example Web Services',
      domain: 'webservices.example',
      hostnames: ['nat-1.webservices.example'],
    },
    [ADDRESSES.scout]: {
      abuseConfidenceScore: 18,
      totalReports: 9,
      numDistinctUsers: 6,
      lastReportedAt: hoursAgo(70),
      isTor: false,
      countryCode: 'SG',
      countryName: 'Singapore',
      usageType: 'Commercial',
      isp: 'Example Private VPN',
      domain: 'vpn.example',
      hostnames: [],
    },
    [ADDRESSES.hosting]: {
      abuseConfidenceScore: 97,
      totalReports: 1_284,
      numDistinctUsers: 311,
      lastReportedAt: hoursAgo(2),
      isTor: false,
      countryCode: 'NL',
      countryName: 'Netherlands',
      usageType: 'Data Center/Web Hosting/Transit',
      isp: 'Example Bulletproof Hosting',
      domain: 'bulletproof.example',
      hostnames: ['vps-2233.bulletproof.example'],
    },
    [ADDRESSES.tor]: {
      abuseConfidenceScore: 100,
      totalReports: 4_871,
      numDistinctUsers: 902,
      lastReportedAt: hoursAgo(1),
      isTor: true,
      countryCode: 'DE',
      countryName: 'Germany',
      usageType: 'Fixed Line ISP',
      isp: 'Example Exit Relays',
      domain: 'exit-relay.example',
      hostnames: ['tor-exit-66.exit-relay.example'],
    },
    [ADDRESSES.guesser]: {
      abuseConfidenceScore: 63,
      totalReports: 148,
      numDistinctUsers: 57,
      lastReportedAt: hoursAgo(9),
      isTor: false,
      countryCode: 'RO',
      countryName: 'Romania',
      usageType: 'Data Center/Web Hosting/Transit',
      isp: 'Example Cheap Servers',
      domain: 'servers.example',
      hostnames: [],
    },
  };
}
