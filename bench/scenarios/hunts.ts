import { buildDemo } from '../../src/app/demo.ts';
import { OWNER } from '../../src/app/password.ts';
import { loadHunts } from '../../src/hunts/hunt-library.ts';
import type { Hunt } from '../../src/hunts/hunt.ts';
import { runHunt } from '../../src/hunts/run-hunt.ts';
import { connectSql, type SqlClient } from '../../src/hunts/sql-client.ts';
import { CREATED_KEY, LEAKED_KEY } from '../../src/simulator/demo/account.ts';
import { atMost, seconds, timed, type Figure, type Scenario } from '../figure.ts';
import { withDirectory } from '../server-process.ts';

/** What the made-up intrusion is about: without them, hunts that require one have nothing to look for. */
const ABOUT = {
  access_key_id: LEAKED_KEY,
  principal: 'arn:aws:iam::%:user/deploy-bot',
  user_name: 'deploy-bot',
  role_name: 'reporting',
  resource: CREATED_KEY,
  instance_id: 'i-0badc0ffee000001',
};

/** Every hunt of the package over the demo's made-up account, one after the other: what each takes and calls. */
export const hunts: Scenario = {
  name: 'hunts',
  run: () =>
    withDirectory(async (dataDir) => {
      const { config, server, closeSimulator } = await buildDemo({ dataDir }, 'once');
      try {
        const endpoint = await server.start();
        try {
          const client = await connectSql({ ...endpoint, user: OWNER, timezone: config.timezone }, () => undefined);
          try {
            return await runAll(client, loadHunts([]));
          } finally {
            await client.close();
          }
        } finally {
          await server.stop('gracefully');
        }
      } finally {
        await closeSimulator();
      }
    }),
};

async function runAll(client: SqlClient, all: readonly Hunt[]): Promise<readonly Figure[]> {
  const [[finding] = []] = await client.rows(
    `select id from guardduty_finding where type like 'CryptoCurrency:%' order by id limit 1`,
  );
  const about = { ...ABOUT, finding_id: finding ?? '' };
  const took: { readonly hunt: Hunt; readonly ms: number; readonly rows: number }[] = [];
  for (const hunt of all) {
    let rows = 0;
    const ms = await timed(async () => {
      for await (const event of runHunt(client, hunt, about, { known: [], overridden: false })) {
        if (event.kind === 'rows') rows += event.rows.length;
      }
    });
    took.push({ hunt, ms, rows });
  }
  const calls = new Map(
    (
      await client.rows(
        `select substring(statement from '^-- id: ([^\\n]+)'), sum(calls)::text from trailhound.scan group by 1`,
      )
    ).map(([id, count]) => [id, Number(count)]),
  );
  const total = took.reduce((sum, { ms }) => sum + ms, 0) / 1000;
  const totalCalls = took.reduce((sum, { hunt }) => sum + (calls.get(hunt.id) ?? 0), 0);
  return [
    ...took.map(({ hunt, ms, rows }) => ({
      name: `hunts: ${hunt.id}`,
      measured: seconds(ms),
      baseline: `${rows} rows`,
      result: `${calls.get(hunt.id) ?? 0} calls`,
    })),
    {
      name: `hunts: all ${all.length}`,
      measured: `${total.toFixed(2)} s`,
      baseline: `${totalCalls} calls`,
      result: `${total.toFixed(1)} s`,
      bound: atMost(total, 20, ' s'),
    },
  ];
}
