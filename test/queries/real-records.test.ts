import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { loadHunts } from '../../src/hunts/hunt-library.ts';
import { recordFiles, scoreOf } from '../roads/support/records.ts';
import { API_KEY, AWS, LOG_GROUP, openRoad, sorted, textRows, type Road } from '../roads/support/road.ts';

const FILES = recordFiles();
const HUNTS = loadHunts([]);
/** What may be left out: records whose time nobody can read. */
const SETTINGS =
  'set trailhound.partial = on; set trailhound.max_lookups = 100000; set timezone = utc; set search_path = public, pg_temp';

/** Who hunts are about, where they ask: whoever is named most often. */
const ABOUT: Readonly<Record<string, string>> = {
  access_key_id: 'mode() within group (order by access_key_id)',
  principal: 'mode() within group (order by user_identifier)',
  user_name: 'mode() within group (order by username)',
  role_name: `mode() within group (order by split_part(request_parameters ->> 'roleArn', '/', 2)) filter (where request_parameters ->> 'roleArn' <> '')`,
  resource: `mode() within group (order by request_parameters ->> 'userName')`,
  instance_id: `mode() within group (order by request_parameters #>> '{instancesSet,items,0,instanceId}')`,
};

/** The same hunt over plain tables says what is right. */
describe.skipIf(FILES.length === 0)('over real records, as over plain tables with them', () => {
  let road: Road;
  let client: Client;
  const about = new Map<string, string>();

  beforeAll(async () => {
    road = await openRoad({
      simulator: {
        world: {
          accounts: [
            {
              accountId: '111122223333',
              regions: [{ name: 'us-east-1', logGroups: [{ name: LOG_GROUP, events: { files: FILES } }] }],
            },
          ],
          abuseipdb: { apiKeys: [API_KEY], check: (address) => ({ abuseConfidenceScore: scoreOf(address) }) },
        },
      },
      aws: AWS,
    });
    client = await road.connect();
    await client.query(SETTINGS);
    const tables = new Set(HUNTS.flatMap((hunt) => hunt.tables));
    tables.delete('abuseipdb_check_ip');
    for (const table of tables) await client.query(`create temp table ${table} as select * from public.${table}`);
    await client.query(`
      create temp table abuseipdb_check_ip as
        select a.* from (select distinct source_ip from pg_temp.cloudtrail_trail_event) e
        join public.abuseipdb_check_ip a on a.ip_address = e.source_ip`);
    for (const [name, expression] of Object.entries(ABOUT)) {
      const [[value] = []] = await textRows(client, `select ${expression} from pg_temp.cloudtrail_trail_event`);
      about.set(name, value ?? '');
    }
    about.set('finding_id', '0'.repeat(32));
  });
  afterAll(async () => {
    await road.close();
  });

  /** Records out of documents have `...` for values: whether they can be read depends on which columns are. */
  const readable = (rows: readonly (readonly string[])[]) => rows.filter((row) => !row.includes('...'));

  let found = 0;
  it.each(HUNTS.map((hunt) => [hunt.id, hunt] as const))('%s', async (_, hunt) => {
    await client.query('begin');
    try {
      for (const { name } of hunt.parameters) {
        const value = name === 'since' ? '30 years' : about.get(name);
        if (value !== undefined) await client.query('select set_config($1, $2, true)', [`hunt.${name}`, value]);
      }
      const rows = readable(await textRows(client, hunt.sql));
      await client.query('set local search_path = pg_temp, public');
      expect(sorted(rows)).toEqual(sorted(readable(await textRows(client, hunt.sql))));
      found += rows.length;
    } finally {
      await client.query('rollback');
    }
  });

  it('and they find something', () => {
    expect(found).toBeGreaterThan(100);
  });
});
