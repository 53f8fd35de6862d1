import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { incident } from './support/incident.ts';
import { openRoad, type Road } from './support/road.ts';

let road: Road;
let client: Client;
beforeAll(async () => {
  road = await openRoad({ simulator: { world: incident() } });
  client = await road.connect();
});
afterAll(async () => {
  await road.close();
});

async function contextOf(text: string, values?: readonly unknown[]): Promise<{ code: string; where: string }> {
  const error: unknown = await client
    .query(text, values === undefined ? undefined : [...values])
    .catch((thrown: unknown) => thrown);
  const { code = '', where = '' } = error as { code?: string; where?: string };
  return { code, where };
}

const PATTERN = `'{"detail": {"a": [{"numeric": ["<", "x"]}]}}'`;

test.each([
  [`select trailhound.cache_clear('nothing')`, '42P01'],
  [`select trailhound.event_matches('{}', ${PATTERN})`, '22023'],
  [`select count(*) from cloudtrail_trail_event where trailhound.event_matches(cloudtrail_event, ${PATTERN})`, '22023'],
])('an error of a function of ours has no context: %s', async (text, code) => {
  expect(await contextOf(text)).toEqual({ code, where: '' });
});

test('so has one with parameters', async () => {
  expect(await contextOf('select trailhound.cache_clear($1)', ['nothing'])).toEqual({ code: '42P01', where: '' });
});

test('in a user’s function, that alone is its context', async () => {
  await client.query(`create function cleared() returns bigint language plpgsql as
    $$ begin return trailhound.cache_clear('nothing'); end $$`);
  const { code, where } = await contextOf('select cleared()');
  expect(code).toBe('42P01');
  expect(where).toMatch(/^PL\/pgSQL (expression|function cleared|assignment)/);
  expect(where).not.toContain('function cache_clear');
});
