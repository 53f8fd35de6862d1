import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FIRST_COLUMNS, SEVERITIES } from '../../src/hunts/hunt.ts';
import { loadHunts } from '../../src/hunts/hunt-library.ts';
import { requirements } from '../../src/hunts/required-parameters.ts';
import { openRoad, type Road } from '../roads/support/road.ts';
import { expectedIds, fixturePath, readFixture, worldOf } from './fixture.ts';

const HUNTS = loadHunts([]);

let road: Road;

beforeAll(async () => {
  road = await openRoad({ simulator: { world: { accounts: [] } } });
});
afterAll(() => road.close());

describe.each(HUNTS.map((hunt) => [hunt.id, hunt] as const))('%s', (_, hunt) => {
  it('has a fixture', () => {
    expect(existsSync(fixturePath(hunt)), fixturePath(hunt)).toBe(true);
  });

  it('finds what its fixture says and nothing else', async () => {
    const fixture = await readFixture(hunt);
    await road.simulator.load(worldOf(fixture, new Date()));
    const { rows, fields } = await road.with(async (client) => {
      await client.query('set trailhound.cache = off');
      for (const [name, value] of Object.entries(fixture.parameters)) {
        await client.query('select set_config($1, $2, false)', [`hunt.${name}`, value]);
      }
      return client.query<Record<string, unknown>>(hunt.sql);
    });

    expect(fields.slice(0, FIRST_COLUMNS.length).map(({ name }) => name)).toEqual(FIRST_COLUMNS);
    for (const { severity } of rows) expect(SEVERITIES).toContain(severity);
    // What no record says is NULL: an empty text would look like a resource that has no name.
    for (const { resource } of rows) expect(resource).not.toBe('');
    if (fixture.rows === undefined) {
      expect(rows.map((row) => row['event_id']).sort()).toEqual(expectedIds(fixture).sort());
    } else {
      expect(rows).toMatchObject(fixture.rows);
      expect(rows).toHaveLength(fixture.rows.length);
    }
  });

  it.runIf(requirements(hunt).length > 0)(
    'runs without what it requires, finds nobody and reads no events',
    async () => {
      const fixture = await readFixture(hunt);
      await road.simulator.load(worldOf(fixture, new Date()));
      await road.with(async (client) => {
        await client.query('set trailhound.cache = off');
        const { rows: times } = await client.query<{ clock: string }>('select clock_timestamp()::text as clock');
        const { rows } = await client.query<Record<string, unknown>>(hunt.sql);
        expect(rows.filter(({ principal }) => principal !== null)).toEqual([]);
        // Who has not said whom the hunt is about must not pay for weeks of events.
        const { rows: scans } = await client.query(
          `select table_name, calls from trailhound.scan
         where statement like $1 and started_at >= $2 and calls > 0 and table_name <> 'cloudtrail_trail'`,
          [`-- id: ${hunt.id}\n%`, times[0]?.clock],
        );
        expect(scans).toEqual([]);
      });
    },
  );

  it.runIf(hunt.watch !== undefined)('finds the same of its last day where it looks no further back', async () => {
    const fixture = await readFixture(hunt);
    await road.simulator.load(worldOf(fixture, new Date()));
    const idsSince = (since: string) =>
      road.with(async (client) => {
        await client.query('set trailhound.cache = off');
        for (const [name, value] of Object.entries({ ...fixture.parameters, since })) {
          await client.query('select set_config($1, $2, false)', [`hunt.${name}`, value]);
        }
        const { rows } = await client.query<{ event_id: string; event_time: Date }>(hunt.sql);
        return rows
          .filter(({ event_time: time }) => time.getTime() > Date.now() - 86_000_000)
          .map(({ event_id: id }) => id)
          .sort();
      });
    expect(await idsSince(hunt.watch ?? '')).toEqual(await idsSince('7 days'));
  });
});
