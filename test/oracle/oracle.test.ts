import { expect, test } from 'vitest';
import { openOracle } from './bench.ts';
import { search } from './search.ts';

/** Those that ask for more keys than they have to are slow, not wrong. */
const MOST = { calls: 0.03, refused: 0.02 };
/** About a minute. `npm run oracle -- --count N --seed S` searches further; tally.md says what that has found. */
const COUNT = 200;
const SEED = 3;

test('any statement gives the rows of plain tables, their error, or a refusal', { timeout: 900_000 }, async () => {
  const tally = await search(openOracle, { seed: SEED, count: COUNT, shrinks: 1 });
  const wrong = tally.mismatches.filter(({ mismatch }) => mismatch.what !== 'calls');
  const shown = wrong.map(
    ({ mismatch, statement }) =>
      `${mismatch.what}, ${mismatch.mode}\n${statement.text}\nexpected:\n${mismatch.expected}\nactual:\n${mismatch.actual}`,
  );
  expect(shown.join('\n\n')).toBe('');
  expect(tally.mismatches.length / tally.statements).toBeLessThan(MOST.calls);
  expect(tally.refused / tally.bounded).toBeLessThan(MOST.refused);
  expect(tally.bounded).toBeGreaterThan(COUNT / 2);
  expect(tally.unbounded).toBeGreaterThan(0);
});
