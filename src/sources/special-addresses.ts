import { BlockList, isIPv4 } from 'node:net';

/**
 * Addresses that belong to nobody on the internet, so that no report about them can mean anything: IANA's special-purpose
 * registries (RFC 6890) where "globally reachable" is false, and multicast (RFC 5771, RFC 4291).
 */
const NOT_PUBLIC: readonly (readonly [network: string, prefix: number, family: 'ipv4' | 'ipv6'])[] = [
  ['0.0.0.0', 8, 'ipv4'], // RFC 791: this network
  ['10.0.0.0', 8, 'ipv4'], // RFC 1918: private
  ['100.64.0.0', 10, 'ipv4'], // RFC 6598: carrier-grade NAT
  ['127.0.0.0', 8, 'ipv4'], // RFC 1122: loopback
  ['169.254.0.0', 16, 'ipv4'], // RFC 3927: link-local
  ['172.16.0.0', 12, 'ipv4'], // RFC 1918: private
  ['192.0.0.0', 24, 'ipv4'], // RFC 6890: protocol assignments
  ['192.0.2.0', 24, 'ipv4'], // RFC 5737: documentation
  ['192.168.0.0', 16, 'ipv4'], // RFC 1918: private
  ['198.18.0.0', 15, 'ipv4'], // RFC 2544: benchmarking
  ['198.51.100.0', 24, 'ipv4'], // RFC 5737: documentation
  ['203.0.113.0', 24, 'ipv4'], // RFC 5737: documentation
  ['224.0.0.0', 4, 'ipv4'], // RFC 5771: multicast
  ['240.0.0.0', 4, 'ipv4'], // RFC 1112: reserved, and RFC 919: broadcast
  ['::', 128, 'ipv6'], // RFC 4291: unspecified
  ['::1', 128, 'ipv6'], // RFC 4291: loopback
  ['64:ff9b:1::', 48, 'ipv6'], // RFC 8215: local translation
  ['100::', 64, 'ipv6'], // RFC 6666: discard
  ['2001:2::', 48, 'ipv6'], // RFC 5180: benchmarking
  ['2001:10::', 28, 'ipv6'], // RFC 4843: ORCHID, deprecated
  ['2001:db8::', 32, 'ipv6'], // RFC 3849: documentation
  ['3fff::', 20, 'ipv6'], // RFC 9637: documentation
  ['5f00::', 16, 'ipv6'], // RFC 9602: segment routing
  ['fc00::', 7, 'ipv6'], // RFC 4193: unique local
  ['fe80::', 10, 'ipv6'], // RFC 4291: link-local
  ['fec0::', 10, 'ipv6'], // RFC 3879: site-local, deprecated
  ['ff00::', 8, 'ipv6'], // RFC 4291: multicast
];

const notPublic = new BlockList();
for (const [network, prefix, family] of NOT_PUBLIC) notPublic.addSubnet(network, prefix, family);

/** `address` is one in PostgreSQL's output form; one of IPv4 written as IPv6 (`::ffff:10.0.0.1`) is what it maps. */
export function isPublicAddress(address: string): boolean {
  return !notPublic.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}

/** `network` is one in PostgreSQL's output form, with its mask. Not public is what lies in such a range as a whole. */
export function isPublicNetwork(network: string): boolean {
  const [address = '', bits = ''] = network.split('/');
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  return !NOT_PUBLIC.some(([range, prefix, of]) => {
    if (of !== family || Number(bits) < prefix) return false;
    const block = new BlockList();
    block.addSubnet(range, prefix, of);
    return block.check(address, family);
  });
}
