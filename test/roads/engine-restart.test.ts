import { afterAll, beforeAll, expect, test } from 'vitest';
import { startForeignServer, type ForeignServer } from '../engine/support/foreign-server.ts';
import { removeTemporaryDirectories } from '../engine/support/temporary-directory.ts';
import { incident } from './support/incident.ts';
import { failure, openRoad, simulatedConnections, textRows, type Road } from './support/road.ts';
import { until } from './support/until.ts';

let engine: ForeignServer;
let road: Road;

beforeAll(async () => {
  engine = await startForeignServer({ maxConnections: 300 });
  const url = `postgres://postgres:${encodeURIComponent(engine.password)}@127.0.0.1:${String(engine.port)}/postgres`;
  road = await openRoad({
    simulator: { world: incident() },
    yaml: (simulator) => `engine_url: "${url}"\n${simulatedConnections(simulator)}`,
  });
});

afterAll(async () => {
  await road.close();
  await engine.stop();
  await removeTemporaryDirectories();
});

const COUNT = 'select count(*) from cloudtrail_trail_event';
const JOIN = `${COUNT} e join abuseipdb_check_ip a on a.ip_address = e.source_ip`;
const BELOW = 'select count(*) from checked';

test('an engine that is killed ends all sessions and their calls; once it is back, everything is as it was', async () => {
  const waiting = await road.connect();
  const idle = await road.connect();
  await idle.query(
    `create or replace view checked as select a.abuse_confidence_score from cloudtrail_trail_event e join abuseipdb_check_ip a on a.ip_address = e.source_ip`,
  );
  const rows = await textRows(idle, JOIN);
  expect(await textRows(idle, BELOW)).toEqual(rows);
  road.simulator.fault({ service: 'logs', times: Infinity, effect: { kind: 'hang' } });
  const ended = failure(waiting.query(`${COUNT} where event_name = 'DeleteTrail'`));
  await road.simulator.calls.until((calls) => calls.open('logs') === 1);

  await engine.kill();
  await ended;
  await failure(idle.query('select 1'));
  await road.simulator.calls.until((calls) => calls.open('logs') === 0);
  road.simulator.clearFaults();
  expect(await failure(road.connect())).toMatchObject({ code: '57P03' });

  await engine.restart();
  await until(() =>
    road.connect().then(
      () => true,
      () => false,
    ),
  );
  await road.with(async (client) => {
    expect(await textRows(client, JOIN)).toEqual(rows);
    // By the loopback, to which the engine finds back.
    expect(await textRows(client, BELOW)).toEqual(rows);
    const left = `select relname from pg_class where relnamespace = 'trailhound_rows'::regnamespace`;
    await until(async () => (await textRows(client, left)).length === 0);
  });
});
