import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { incident } from './support/incident.ts';
import { openRoad, sorted, textRows, type Road } from './support/road.ts';

let road: Road;
let owner: Client;

beforeAll(async () => {
  road = await openRoad({ simulator: { world: incident() } });
  owner = await road.connect();
});

afterAll(async () => {
  await road.close();
});

beforeEach(async () => {
  road.simulator.calls.reset();
});

const JOIN = `select e.event_id, e.event_name, e.username, a.ip_address, a.abuse_confidence_score as score
  from cloudtrail_trail_event e join abuseipdb_check_ip a on a.ip_address = e.source_ip_address
  where e.event_time > now() - interval '30 years'`;

describe('a view of a user', () => {
  test('joins events to look-ups as its text would', async () => {
    const expected = await textRows(owner, JOIN);
    expect(expected.length).toBeGreaterThan(10);
    await owner.query(`create view abusers as ${JOIN}`);
    expect(sorted(await textRows(owner, 'select * from abusers'))).toEqual(sorted(expected));
  });
});
