/** pg's client, for those above the engine who speak to an endpoint as any client does: the console and the hunts. */
export type { ClientConfig } from 'pg';
export { Client, types as pgTypes } from 'pg';
