import { TrailhoundError } from '../kernel/errors.ts';
import { HttpClient } from '../sources/http/client.ts';
import type { Resolve } from '../sources/http/guarded-connector.ts';
import type { Config } from './config/load.ts';

/** A client for each connection of kind http, by its name. */
export function createHttpClients(config: Config, resolve?: Resolve): ReadonlyMap<string, HttpClient> {
  const { allow, allowPrivate } = config.http;
  const clients = new Map<string, HttpClient>();
  for (const [name, connection] of Object.entries(config.connections)) {
    if (connection.kind !== 'http') continue;
    const { host } = connection;
    if (host !== undefined && !allow.includes(host) && !allowPrivate.includes(host)) {
      const place = config.origin(['connections', name, 'host']);
      throw new TrailhoundError('configuration', `${place}: connections.${name}.host: ${host} is not in http.allow`, {
        hint: 'Add it there: tables made by SQL call no other hosts.',
      });
    }
    clients.set(name, new HttpClient({ ...connection, name }, config.http, resolve));
  }
  return clients;
}
