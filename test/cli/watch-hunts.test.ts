import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { CliProcess, temporaryDirectory } from './support/cli.ts';

const directory = temporaryDirectory();
const config = path.join(directory.path, 'trailhound.yaml');
const common = ['--config', config, '--data-dir', path.join(directory.path, 'data')];
const processes: CliProcess[] = [];

function start(args: readonly string[]): CliProcess {
  const child = new CliProcess([...args, ...common], { cwd: directory.path, stdin: '' });
  processes.push(child);
  return child;
}

async function serve(): Promise<CliProcess> {
  const server = start(['serve', '--port', '0', '--http-port', 'off']);
  await server.waitFor('stdout', /^ready: /);
  return server;
}

afterEach(async () => {
  for (const child of processes.splice(0).reverse()) await child.stop();
  directory.remove();
});

it('a watch and a refresh leave the data directory to the server that they began on, and go on once that is back', async () => {
  mkdirSync(path.join(directory.path, 'hunts'));
  writeFileSync(config, 'hunts: { paths: [hunts] }\n');
  writeFileSync(path.join(directory.path, 'hunts', 'tick.sql'), HUNT);
  const server = await serve();
  const watch = start(['hunt', 'run', 'tick', '--every', '1s', '--output', 'csv']);
  await watch.waitFor('stderr', /tick \(low\): 1 new/);
  const refresh = start(['refresh', 'tick', '--every', '1s', '--as', 'ticks']);
  await refresh.waitFor('stderr', /^hunt\.ticks: 1 rows$/m);
  await server.stop();
  await watch.waitFor('stderr', /no server runs on .* any more[^]*no server runs on .* any more/);
  await refresh.waitFor('stderr', /no server runs on .* any more/);
  const told = watch.stderr.length;
  const refreshed = refresh.stderr.length;
  await serve();
  while (!watch.stderr.slice(told).includes('tick (low): 1 new')) await watch.waitFor('stderr', next(watch.stderr));
  expect(await watch.stop()).toMatchObject({ status: 0 });
  while (!refresh.stderr.slice(refreshed).includes('hunt.ticks: 1 rows'))
    await refresh.waitFor('stderr', next(refresh.stderr));
  expect(await refresh.stop('SIGINT')).toMatchObject({ status: 130 });
  const kept = start(['query', '--output', 'csv', 'select count(*), count(refreshed_at), min(action) from hunt.ticks']);
  expect(await kept.finished()).toMatchObject({ stdout: 'count,count,min\n1,1,tick\n' });
});

/** Anything beyond what has been written. */
const next = (written: string) => new RegExp(`^[^]{${written.length + 1},}`);

/** Has another row in each run. */
const HUNT = `-- id: tick
-- title: Ticks
-- severity: low
-- tables: guardduty_detector
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
select clock_timestamp() as event_time, 'low' as severity, null as principal, 'tick' as action, null as resource,
  null::inet as source_ip, null as account_id, null as region, clock_timestamp()::text as event_id, null as console_url,
  null::jsonb as detail
`;
