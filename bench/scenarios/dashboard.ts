import { spawnSimulator } from '../../src/simulator/spawn-simulator.ts';
import { singleLogGroup } from '../../src/simulator/world.ts';
import { seconds, timed, type Figure, type Scenario } from '../figure.ts';
import { withServer } from '../server-process.ts';

const HOUR_MS = 3_600_000;
const REFRESHES = 10;
const EVENTS_AN_HOUR = 20_000;
/** As an account answers that is asked a lot. */
const LATENCY_MS = 200;

/** Ten panels of one dashboard over the last hour, as Grafana asks for them: each over a connection of its own. */
const PANELS = [
  'select floor(extract(epoch from event_time) / 300) * 300 as time, count(*) from cloudtrail_trail_event where $ group by 1 order by 1',
  'select event_name, count(*) from cloudtrail_trail_event where $ group by 1 order by 2 desc limit 20',
  'select source_ip, count(*) from cloudtrail_trail_event where $ group by 1 order by 2 desc limit 20',
  'select username, count(*) from cloudtrail_trail_event where $ group by 1 order by 2 desc limit 20',
  'select aws_region, count(*) from cloudtrail_trail_event where $ group by 1',
  'select error_code, count(*) from cloudtrail_trail_event where $ and error_code is not null group by 1',
  "select event_time, username, source_ip from cloudtrail_trail_event where $ and event_name = 'ConsoleLogin' order by 1 desc limit 50",
  "select event_name, count(*) from cloudtrail_trail_event where $ and event_name in ('CreateUser', 'CreateAccessKey', 'AttachUserPolicy') group by 1",
  'select user_agent, count(*) from cloudtrail_trail_event where $ group by 1 order by 2 desc limit 20',
  'select event_time, event_name, username from cloudtrail_trail_event where $ order by event_time desc limit 50',
];

/** The same dashboard again and again, its window a minute further each time: the tenth refresh against the first. */
export const dashboard: Scenario = {
  name: 'dashboard',
  run: async () => {
    const now = Date.now();
    const from = now - 2 * HOUR_MS;
    const simulator = await spawnSimulator({
      latency: { logs: LATENCY_MS },
      world: singleLogGroup({ synthetic: { count: 2 * EVENTS_AN_HOUR, from, to: now } }),
    });
    try {
      return await withServer({ url: simulator.url, requestsPerSecond: 25 }, async (server) => {
        const clients = await Promise.all(PANELS.map(() => server.connect()));
        try {
          const took: number[] = [];
          for (let refresh = 1; refresh <= REFRESHES; refresh += 1) {
            const end = now - (REFRESHES - refresh) * 60_000;
            const between = `event_time between '${new Date(end - HOUR_MS).toISOString()}' and '${new Date(end).toISOString()}'`;
            const ask = async (text: string, index: number) => {
              await clients[index]?.query(`/* refresh ${refresh}. */ ${text.replace('$', between)}`);
            };
            took.push(await timed(() => Promise.all(PANELS.map(ask))));
          }
          const { rows } = (await clients[0]?.query(
            `select substring(statement from 'refresh (\\d+)')::int as refresh, sum(calls)::int as calls from trailhound.scan group by 1`,
          )) as { rows: readonly { readonly refresh: number | null; readonly calls: number }[] };
          const calls = (refresh: number) => rows.find((row) => row.refresh === refresh)?.calls ?? 0;
          return [
            figure('time', seconds(took[0] ?? 0), seconds(took.at(-1) ?? 0), (took.at(-1) ?? 0) / (took[0] ?? 1)),
          ].concat(figure('calls', String(calls(1)), String(calls(REFRESHES)), calls(REFRESHES) / calls(1)));
        } finally {
          await Promise.all(clients.map((client) => client.end()));
        }
      });
    } finally {
      await simulator.close();
    }
  },
};

function figure(what: string, first: string, last: string, ratio: number): Figure {
  return {
    name: `dashboard: ${what} of refresh ${REFRESHES}, ${PANELS.length} panels, an hour`,
    measured: last,
    baseline: `${first} the first`,
    result: ratio.toFixed(2),
  };
}
