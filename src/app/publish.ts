import { withPoolClient, type Pool } from '../engine/pool.ts';
import { loadHunts } from '../hunts/hunt-library.ts';
import type { Config } from './config/load.ts';

/** Writes down what the configuration names, for `trailhound.connection` and `trailhound.hunt`. */
export async function publishConfiguration(pool: Pool, { connections, hunts, http }: Config): Promise<void> {
  const names = Object.keys(connections);
  const hosts = Object.entries(connections).flatMap(([connection, settings]) => {
    if (settings.kind !== 'http') return [];
    const all = [...new Set([...http.allow, ...http.allowPrivate])];
    return all
      .filter((host) => settings.host === undefined || settings.host === host)
      .map((host) => ({ connection, host, private: http.allowPrivate.includes(host) }));
  });
  const saved = loadHunts(hunts.paths, hunts.severity).map((hunt) => ({
    ...hunt,
    name: hunt.id,
    parameters: hunt.parameters.map(({ name, type, defaultValue, required, description }) => ({
      name,
      type,
      default: defaultValue,
      required: required !== undefined,
      description,
    })),
    false_positives: hunt.falsePositives,
    next_steps: hunt.nextSteps,
    reference_urls: hunt.references,
  }));
  await withPoolClient(pool, async (client) => {
    await client.query(`begin; set local idle_in_transaction_session_timeout = '3s'`);
    try {
      // Servers that start at once, one after the other.
      await client.query('lock table trailhound.connection_entry in share row exclusive mode');
      await client.query('delete from trailhound.connection_entry');
      await client.query(
        `insert into trailhound.connection_entry (name, kind, state, since)
         select name, kind, 'unused', now() from unnest($1::text[], $2::text[]) as c (name, kind)`,
        [names, names.map((name) => connections[name]?.kind)],
      );
      await client.query('delete from trailhound.http_host');
      await client.query(
        'insert into trailhound.http_host select h.* from json_populate_recordset(null::trailhound.http_host, $1) as h',
        [JSON.stringify(hosts)],
      );
      await client.query('delete from trailhound.hunt_entry');
      await client.query(
        'insert into trailhound.hunt_entry select h.* from json_populate_recordset(null::trailhound.hunt_entry, $1) as h',
        [JSON.stringify(saved)],
      );
      await client.query('commit');
    } catch (error) {
      await client.query('rollback');
      throw error;
    }
  });
}
