import { isIPv4, isIPv6 } from 'node:net';
import { isPublicAddress } from './special-addresses.ts';

/**
 * Whether a connection to an address stays out of every network that is not the internet. Stricter than what is public:
 * IPv6 must be global unicast (2000::/3), and none of those that carry another address within (6to4, Teredo).
 */
export function isInternetAddress(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return isPublicAddress(mapped);
  if (isIPv4(address)) return isPublicAddress(address);
  if (!isIPv6(address)) return false;
  const [first = '', second = '0'] = address.toLowerCase().split(':');
  const group = Number.parseInt(first === '' ? '0' : first, 16);
  const isTunnel = group === 0x2002 || (group === 0x2001 && Number.parseInt(second === '' ? '0' : second, 16) < 0x200);
  return group >= 0x2000 && group <= 0x3fff && !isTunnel && isPublicAddress(address);
}
