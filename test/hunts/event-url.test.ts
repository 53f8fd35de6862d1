import { afterAll, beforeAll, expect, it } from 'vitest';
import { openRoad, type Road } from '../roads/support/road.ts';

let road: Road;
beforeAll(async () => {
  road = await openRoad({ simulator: { world: { accounts: [] } } });
});
afterAll(() => road.close());

it.each([
  ['eu-west-1', 'https://eu-west-1.console.aws.amazon.com/cloudtrailv2/home?region=eu-west-1#/events/x'],
  ['evil.example/#', null],
  ['evil.example/\neu-west-1', null],
  ['eu-west-1\n', null],
  ['', null],
  [null, null],
])('leads to the console of a region, and nowhere for what is none: %j', async (region, url) => {
  const { rows } = await road.with((client) =>
    client.query<{ url: string | null }>("select trailhound.event_url($1, 'x') as url", [region]),
  );
  expect(rows).toEqual([{ url }]);
});
