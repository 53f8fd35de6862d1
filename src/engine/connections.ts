/** Each client may hold one more connection by way of a foreign table's scan; ten are for set-up, psql and autovacuum. */
export function maxConnections(options: { readonly maxClients: number; readonly poolSize: number }): number {
  return 2 * options.maxClients + options.poolSize + 10;
}
