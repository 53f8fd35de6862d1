import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Figure } from './figure.ts';
import { connections } from './scenarios/connections.ts';
import { dashboard } from './scenarios/dashboard.ts';
import { evidence, evidenceSmall } from './scenarios/evidence.ts';
import { evidenceMemory } from './scenarios/evidence-memory.ts';
import { files } from './scenarios/files.ts';
import { hunts } from './scenarios/hunts.ts';
import { join } from './scenarios/join.ts';
import { memory } from './scenarios/memory.ts';
import { patterns } from './scenarios/patterns.ts';
import { plan } from './scenarios/plan.ts';
import { pgbench } from './scenarios/pgbench.ts';
import { processes } from './scenarios/processes.ts';
import { relay } from './scenarios/relay.ts';
import { scan } from './scenarios/scan.ts';
import { shards } from './scenarios/shards.ts';
import { start } from './scenarios/start.ts';
import { table } from './table.ts';

/** `npm run bench [-- NAME...]`: all scenarios, or those named. Status 1 where one could not be run; bounds decide nothing. */
const SCENARIOS = [
  join,
  scan,
  shards,
  dashboard,
  evidence,
  evidenceSmall,
  evidenceMemory,
  files,
  memory,
  start,
  relay,
  connections,
  pgbench,
  processes,
  plan,
  hunts,
  patterns,
];

const names = process.argv.slice(2);
const unknown = names.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name));
if (unknown.length > 0) {
  console.error(`bench: no scenario ${unknown.join(', ')}; there are ${SCENARIOS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

build();
const figures: Figure[] = [];
for (const scenario of SCENARIOS) {
  if (names.length > 0 && !names.includes(scenario.name)) continue;
  console.error(`${scenario.name} …`);
  try {
    figures.push(...(await scenario.run()));
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  }
}
console.log(`Node ${process.versions.node}, ${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown processor'}\n`);
console.log(table(figures));

/** What is measured is what the sources say, built as it is for users. */
function build(): void {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const project = fileURLToPath(new URL('../tsconfig.build.json', import.meta.url));
  const { status } = spawnSync(process.execPath, [tsc, '-p', project], { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}
