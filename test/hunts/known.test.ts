import { afterAll, beforeAll, expect, it } from 'vitest';
import { findHunt, loadHunts } from '../../src/hunts/hunt-library.ts';
import { runHunt } from '../../src/hunts/run-hunt.ts';
import { connectSql, type SqlClient } from '../../src/hunts/sql-client.ts';
import { readFixture, worldOf } from '../queries/fixture.ts';
import { openRoad, type Road } from '../roads/support/road.ts';

const HUNT = findHunt(loadHunts([]), 'investigate/who-made-this');

let road: Road;
let client: SqlClient;
beforeAll(async () => {
  road = await openRoad({ simulator: { world: worldOf(await readFixture(HUNT), new Date()) } });
  const { host, port, database, password } = road.endpoint;
  client = await connectSql({ host, port, database, password, user: 'trailhound', tls: false }, () => undefined);
});
afterAll(async () => {
  await client.close();
  await road.close();
});

async function principals(known: readonly string[]): Promise<readonly (string | null | undefined)[]> {
  const found: (string | null | undefined)[] = [];
  for await (const event of runHunt(client, HUNT, { resource: 'ann' }, { known, overridden: false })) {
    if (event.kind === 'rows') found.push(...event.rows.map((row) => row[2]));
    if (event.kind === 'known') expect(event.rows).toBe(0);
  }
  return found;
}

it('the way back ends at what hunts.known takes for granted, which is shown', async () => {
  const ci = 'arn:aws:iam::111122223333:role/ci';
  expect(await principals([])).toEqual([ci, 'IAMUser']);
  expect(await principals(['arn:aws:iam::*:role/ci'])).toEqual([ci]);
  // Neither of LIKE's own signs means anything here.
  expect(await principals(['arn:aws:iam::%:role/c_', 'a "quoted\\ one"'])).toEqual([ci, 'IAMUser']);
  expect(await principals(['111122223333'])).toEqual([ci]);
});
