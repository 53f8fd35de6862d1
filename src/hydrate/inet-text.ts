import { isIPv4, isIPv6 } from 'node:net';

/** True for what PostgreSQL reads as inet: leading zeros are decimal, a mask may follow, a zone (`%eth0`) may not. */
export function isInetText(text: string): boolean {
  if (isIPv4(text)) return true;
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  const mask = slash < 0 ? undefined : text.slice(slash + 1);
  if (address.includes(':')) return !address.includes('%') && isIPv6(address) && isMask(mask, 128);
  const octets = address.split('.');
  return (
    octets.length === 4 && octets.every((octet) => /^\d{1,10}$/.test(octet) && Number(octet) <= 255) && isMask(mask, 32)
  );
}

function isMask(mask: string | undefined, longest: number): boolean {
  return mask === undefined || (/^\d{1,3}$/.test(mask) && Number(mask) <= longest);
}
