import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { atMost, seconds, timed, type Figure, type Scenario } from '../figure.ts';
import { withServer } from '../server-process.ts';
import { DAY_START_MS, withSimulator } from '../simulated.ts';

const PAGES = 500;
const PAGE_MS = 1_000;
const GROUP = 'CloudTrail/GlobalServiceEvents';

/** A statement over a day of 500 pages, each of which the service takes a second for, at two limits of its rate. */
export const shards: Scenario = {
  name: 'shards',
  run: async () => {
    const events = PAGES * (await eventsOfPage());
    return withSimulator(
      events,
      async (simulator): Promise<readonly Figure[]> => {
        const read = (requestsPerSecond: number) =>
          withServer({ url: simulator.url, requestsPerSecond }, async (server) => {
            const client = await server.connect();
            try {
              return await timed(async () => {
                const from = new Date(DAY_START_MS).toISOString();
                const { rows } = await client.query(
                  `select count(*)::int as n, count(distinct event_id)::int as ids from cloudtrail_trail_event
                   where "timestamp" >= '${from}' and "timestamp" < '${from}'::timestamptz + interval '25 hours'`,
                );
                const [{ n, ids }] = rows as [{ n: number; ids: number }];
                if (n !== events || ids !== events)
                  throw new Error(`${n} events, ${ids} of them different, not ${events}`);
              });
            } finally {
              await client.end();
            }
          });
        const limited = await read(5);
        const unlimited = await read(200);
        const least = (PAGES / 5) * 1_000;
        const oneByOne = PAGES * PAGE_MS;
        return [
          {
            name: `shards: ${PAGES} pages of ${seconds(PAGE_MS)}, 5 requests a second`,
            measured: seconds(limited),
            baseline: `${seconds(least)} at that rate`,
            result: (limited / least).toFixed(2),
            bound: atMost(limited / least, 1.1),
          },
          {
            name: `shards: the same, 200 requests a second`,
            measured: seconds(unlimited),
            baseline: `${seconds(oneByOne)} one by one`,
            result: (unlimited / oneByOne).toFixed(2),
            bound: atMost(Number((unlimited / oneByOne).toFixed(3)), 0.167),
          },
        ];
      },
      { latency: { logs: PAGE_MS } },
    );
  },
};

function eventsOfPage(): Promise<number> {
  return withSimulator(10_000, async ({ url }) => {
    const credentials = { accessKeyId: 'AKIABENCH', secretAccessKey: 'made-up' };
    const client = new CloudWatchLogsClient({ endpoint: url, region: 'us-east-1', credentials });
    try {
      const { events = [] } = await client.send(new FilterLogEventsCommand({ logGroupName: GROUP }));
      return events.length;
    } finally {
      client.destroy();
    }
  });
}
