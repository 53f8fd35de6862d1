import { BlockList, isIP, isIPv4 } from 'node:net';
import type { AbuseIpdbWorld } from '../world.ts';
import type { KnownAddresses } from './known-addresses.ts';
import type { Query } from './parameters.ts';
import { Refusal } from './respond.ts';

/** Of a free plan. */
const SHORTEST = { ipv4: 24, ipv6: 120 };

/** GET /check-block, https://docs.abuseipdb.com/#check-block-endpoint. */
export function checkBlock(query: Query, { shortestPrefix = SHORTEST }: AbuseIpdbWorld, known: KnownAddresses) {
  const [address = '', bits = ''] = query.text('network').split('/');
  const width = isIPv4(address) ? 32 : 128;
  const prefix = Number(bits);
  if (isIP(address) === 0 || !/^\d{1,3}$/.test(bits) || prefix > width)
    throw new Refusal(422, 'The network must be a valid IPv4 or IPv6 network in CIDR notation.', 'network');
  const maxAgeInDays = query.maxAgeInDays();
  const shortest = width === 32 ? shortestPrefix.ipv4 : shortestPrefix.ipv6;
  if (prefix < shortest)
    throw new Refusal(402, `You must be a subscriber to check networks larger than /${shortest}.`, 'network');
  return {
    data:
      width === 32 ? network4(address, prefix, maxAgeInDays, known) : network6(address, prefix, maxAgeInDays, known),
  };
}

function network4(address: string, prefix: number, maxAgeInDays: number, known: KnownAddresses) {
  const size = 2 ** (32 - prefix);
  const first = Math.floor(numberOf(address) / size) * size;
  const last = first + size - 1;
  const hosts =
    size > 2 ? { least: first + 1, most: last - 1, count: size - 2 } : { least: first, most: last, count: size };
  return {
    networkAddress: textOf(first),
    netmask: textOf(2 ** 32 - size),
    minAddress: textOf(hosts.least),
    maxAddress: textOf(hosts.most),
    numPossibleHosts: hosts.count,
    addressSpaceDesc: 'Internet',
    reportedAddress: reported(
      Array.from({ length: size }, (_, index) => textOf(first + index)),
      maxAgeInDays,
      known,
    ),
  };
}

/** Nobody can look at all addresses of such a network: those that the world names. */
function network6(address: string, prefix: number, maxAgeInDays: number, known: KnownAddresses) {
  const block = new BlockList();
  block.addSubnet(address, prefix, 'ipv6');
  return {
    networkAddress: address,
    netmask: `/${prefix}`,
    minAddress: address,
    maxAddress: address,
    numPossibleHosts: 2 ** (128 - prefix),
    addressSpaceDesc: 'Internet',
    reportedAddress: reported(
      known.named.filter((name) => !isIPv4(name) && block.check(name, 'ipv6')),
      maxAgeInDays,
      known,
    ),
  };
}

function reported(addresses: readonly string[], maxAgeInDays: number, known: KnownAddresses) {
  return addresses.flatMap((ipAddress) => {
    const { totalReports, lastReportedAt, abuseConfidenceScore, countryCode } = known.answer(ipAddress, maxAgeInDays);
    if (totalReports === 0 || lastReportedAt === null) return [];
    return [
      { ipAddress, numReports: totalReports, mostRecentReport: lastReportedAt, abuseConfidenceScore, countryCode },
    ];
  });
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function textOf(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
