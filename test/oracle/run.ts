import { fork } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { openOracle } from './bench.ts';
import { search, textOf, type Found, type Tally } from './search.ts';
import { together } from './together.ts';

/**
 * `npm run oracle [-- --count N --seed S --from N --jobs J --shrinks M --examples E]`: statements by the thousand, in J processes.
 * Status 1 where one goes wrong. Of each kind of mismatch M are made small, of each reason for refusing a bounded
 * statement E.
 */
const { values } = parseArgs({
  options: {
    examples: { type: 'string', default: '0' },
    shrinks: { type: 'string', default: '4' },
    count: { type: 'string', default: '2000' },
    /** The number of the first statement. */
    from: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '1' },
    /** Of a process that another one has started: which of its parts it is. */
    part: { type: 'string' },
  },
});
const [count, seed, jobs, from] = [values.count, values.seed, values.jobs, values.from].map(Number) as [
  number,
  number,
  number,
  number,
];
if (![count, seed, jobs, from].every(Number.isSafeInteger) || count < 1 || jobs < 1 || from < 0) {
  process.stderr.write(
    'usage: npm run oracle -- [--count N] [--seed S] [--from N] [--jobs J] [--shrinks M] [--examples E]\n',
  );
  process.exit(2);
}

if (values.part !== undefined) {
  const tally = await searched(Number(values.part));
  process.send?.(tally);
} else {
  const tally = jobs === 1 ? await searched(0) : together(await Promise.all(Array.from({ length: jobs }, started)));
  print(tally);
  if (tally.mismatches.length > 0) process.exitCode = 1;
}

/** Part of a search in a process of its own. */
async function started(_each: unknown, part: number): Promise<Tally> {
  const child = fork(import.meta.filename, [...process.argv.slice(2), '--part', String(part)], {
    serialization: 'advanced',
  });
  const ended = once(child, 'exit');
  const [tally] = (await Promise.race([
    once(child, 'message'),
    ended.then(() => Promise.reject(new Error('a part of the search has failed'))),
  ])) as [Tally];
  await ended;
  return tally;
}

async function searched(part: number): Promise<Tally> {
  const since = Date.now();
  return search(openOracle, {
    seed,
    from,
    count: Math.floor((count + jobs - 1 - part) / jobs),
    part: { number: part, of: jobs },
    examples: Number(values.examples),
    shrinks: Number(values.shrinks),
    onFound: report,
    onProgress: ({ statements, mismatches, refused }) => {
      if (statements % 100 !== 0) return;
      const seconds = Math.round((Date.now() - since) / 1000);
      process.stderr.write(
        `${statements} statements, ${mismatches.length} mismatches, ${refused} refusals, ${seconds} s\n`,
      );
    },
  });
}

function print({ statements, mismatches, refused, refusals, skipped, unchecked, bounded, unbounded }: Tally): void {
  for (const [reason, { count: times, examples }] of refusals) {
    say(`\n${times} × refused: ${reason}\n`);
    for (const { index, text } of examples) say(`  seed ${seed}, statement ${index}:\n  ${text}\n`);
  }
  for (const [why, times] of skipped) say(`${times} × no example: ${why}\n`);
  for (const [why, times] of unchecked) say(`${times} × calls not compared: ${why}\n`);
  say(`${bounded} bounded by construction, ${unbounded} unbounded\n`);
  say(`${statements} statements, ${mismatches.length} mismatches, ${refused} refusals\n`);
}

function report({ index, mismatch, statement }: Found): void {
  say(
    `\nmismatch (${mismatch.what}), ${mismatch.mode}; seed ${seed}, statement ${index}, ${statement.label}:\n${textOf(statement)}\n` +
      `expected:\n${mismatch.expected}\nactual:\n${mismatch.actual}\n`,
  );
}

function say(text: string): void {
  process.stdout.write(text);
}
