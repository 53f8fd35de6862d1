import { lookup } from 'node:dns';
import type { LookupAddress, LookupOptions } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { isInternetAddress } from '../internet-address.ts';

/** A name's addresses; calls back once. Tests put their own in its place. */
export type Resolve = (
  hostname: string,
  options: LookupOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void,
) => void;

/** Codes of errors that this connector ends with. */
export const NOT_INTERNET = 'TRAILHOUND_NOT_INTERNET';

export class NotInternetError extends Error {
  readonly code = NOT_INTERNET;

  constructor() {
    super('the address is not one of the internet');
  }
}

const CONNECT_MS = 10_000;

const resolveBySystem: Resolve = (hostname, options, callback) => lookup(hostname, { ...options, all: true }, callback);

/**
 * Connects to addresses of the internet alone, but for the hosts that the configuration excepts. What is looked at is the
 * address to which the socket then connects: between a look and a connection a name could come to mean another one.
 *
 * @param isExcepted a URL's host: `10.0.0.1:8080`, `intranet.example`
 */
export function guardedConnector(
  isExcepted: (host: string) => boolean,
  resolve: Resolve = resolveBySystem,
): buildConnector.connector {
  const anywhere = buildConnector({ timeout: CONNECT_MS, lookup: lookupBy(resolve, () => true) });
  const guarded = buildConnector({ timeout: CONNECT_MS, lookup: lookupBy(resolve, isInternetAddress) });
  return (options, callback) => {
    const { hostname, host = hostname } = options;
    if (isExcepted(host)) return anywhere(options, callback);
    // An address is not looked up.
    const literal = hostname.replace(/^\[|\]$/g, '');
    if (isIP(literal) !== 0 && !isInternetAddress(literal)) return callback(new NotInternetError(), null);
    guarded(options, (...outcome) => {
      const [error, socket] = outcome;
      if (error !== null || isInternetAddress(socket.remoteAddress ?? '')) return callback(...outcome);
      socket.destroy();
      callback(new NotInternetError(), null);
    });
  };
}

/** A name with one address that is refused is refused as a whole: whoever answers for it means no good. */
function lookupBy(resolve: Resolve, isAllowed: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, options, (error, addresses) => {
      if (error !== null) return callback(error, []);
      const [first] = addresses;
      if (first === undefined || !addresses.every(({ address }) => isAllowed(address)))
        return callback(new NotInternetError(), []);
      if (options.all === true) callback(null, [...addresses]);
      else callback(null, first.address, first.family);
    });
  };
}
