import { parseArgs } from 'node:util';
import { openOracle } from './bench.ts';
import { search, type Found } from './search.ts';

/**
 * `npm run oracle [-- --count N --seed S --shrinks M --examples E]`: statements by the thousand. Status 1 where one goes
 * wrong. Of each kind of mismatch M are made small, of each reason for refusing a bounded statement E.
 */
const { values } = parseArgs({
  options: {
    examples: { type: 'string', default: '0' },
    shrinks: { type: 'string', default: '4' },
    count: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
  },
});
const [count, seed] = [Number(values.count), Number(values.seed)];
if (!Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(seed)) {
  process.stderr.write('usage: npm run oracle -- [--count N] [--seed S] [--shrinks M] [--examples E]\n');
  process.exit(2);
}

const bench = await openOracle();
try {
  const started = Date.now();
  const tally = await search(bench, {
    seed,
    count,
    examples: Number(values.examples),
    shrinks: Number(values.shrinks),
    onFound: report,
    onProgress: ({ statements, mismatches, refused }) => {
      if (statements % 100 !== 0) return;
      const seconds = Math.round((Date.now() - started) / 1000);
      process.stderr.write(
        `${statements} statements, ${mismatches.length} mismatches, ${refused} refusals, ${seconds} s\n`,
      );
    },
  });
  for (const [reason, { count: times, examples }] of tally.refusals) {
    say(`\n${times} × refused: ${reason}\n`);
    for (const { index, text } of examples) say(`  seed ${seed}, statement ${index}:\n  ${text}\n`);
  }
  for (const [why, times] of tally.skipped) say(`${times} × no example: ${why}\n`);
  say(`${tally.bounded} bounded by construction, ${tally.unbounded} unbounded\n`);
  say(`${tally.statements} statements, ${tally.mismatches.length} mismatches, ${tally.refused} refusals\n`);
  if (tally.mismatches.length > 0) process.exitCode = 1;
} finally {
  await bench.close();
}

function report({ index, mismatch, statement }: Found): void {
  say(
    `\nmismatch (${mismatch.what}), ${mismatch.mode}; seed ${seed}, statement ${index}, ${statement.label}:\n${statement.text}\n` +
      `expected:\n${mismatch.expected}\nactual:\n${mismatch.actual}\n`,
  );
}

function say(text: string): void {
  process.stdout.write(text);
}
