import { afterAll, beforeAll, expect, test } from 'vitest';
import { incident } from './support/incident.ts';
import { failure, openRoad, textRows, type Road } from './support/road.ts';
import { until } from './support/until.ts';

/** Unlogged relations are silently empty after a backend's crash: nothing of before it may be believed. */

let road: Road;

beforeAll(async () => {
  const events = Array.from({ length: 2_000 }, (_, index) => ({
    eventID: `event-${String(index)}`,
    eventName: 'ListBuckets',
    eventTime: new Date(Date.UTC(2026, 10, 20) + index * 1_000).toISOString(),
    sourceIPAddress: `45.83.12.${String(index % 4)}`,
  }));
  road = await openRoad({ simulator: { world: incident(events) } });
});

afterAll(async () => {
  await road.close();
});

const COUNT = 'select count(*) from cloudtrail_trail_event';

test('a crash of a backend ends the sessions and their calls; the next ones find everything as it was', async () => {
  const victim = await road.connect();
  const reading = await road.connect();
  const waiting = await road.connect();
  const join = `${COUNT} e join abuseipdb_check_ip a on a.ip_address = e.source_ip`;
  expect(await textRows(victim, join)).toEqual([['2000']]);
  // A relation in use, and a call in flight.
  await reading.query('begin');
  await reading.query('declare events cursor for select * from cloudtrail_trail_event');
  road.simulator.fault({ service: 'logs', times: Infinity, effect: { kind: 'hang' } });
  const ended = failure(waiting.query(COUNT));
  await road.simulator.calls.until((calls) => calls.open('logs') === 1);

  const [[pid] = []] = await textRows(victim, 'select pg_backend_pid()');
  process.kill(Number(pid), 'SIGKILL');
  await ended;
  await road.simulator.calls.until((calls) => calls.open('logs') === 0);
  road.simulator.clearFaults();
  await failure(reading.query('fetch 1 from events'));

  // As PostgreSQL does: refused for a moment, with its own reason.
  const refusals = new Set<string | undefined>();
  await until(async () => {
    try {
      await road.connect();
      return true;
    } catch (error) {
      refusals.add((error as { code?: string }).code);
      return false;
    }
  });
  expect([...refusals].filter((code) => code !== '57P03')).toEqual([]);
  await road.with(async (client) => {
    expect(await textRows(client, join)).toEqual([['2000']]);
    // What the crash emptied is not kept, and what was read since is.
    const left = `select relname from pg_class where relnamespace = 'trailhound_rows'::regnamespace`;
    await until(async () => (await textRows(client, left)).length === 1);
  });
});
