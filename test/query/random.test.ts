import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TrailhoundError } from '../../src/kernel/errors.ts';
import { BackendError } from '../../src/query/backend.ts';
import { openBench, sorted, type Bench } from './support/bench.ts';
import { randomStatement } from './support/random-statement.ts';

/** Some twenty seconds. Raise it by hand to search: tens of thousands have been tried. */
const STATEMENTS = 250;
const SEED = 20;
const ROWS = 3_000;

let bench: Bench;
beforeAll(async () => {
  bench = await openBench({ events: 12 });
  // A product of many tables says nothing more than a small one.
  await bench.client.query("set statement_timeout = '3s'");
});
afterAll(async () => {
  await bench.close();
});

/** Rows, the SQLSTATE that PostgreSQL raises, or our refusal. */
type Outcome = { readonly rows: readonly string[] } | { readonly sqlstate: string | undefined } | 'refused' | 'late';

async function outcomeOf(answer: Promise<{ readonly rows: readonly unknown[][] }>): Promise<Outcome> {
  try {
    return { rows: sorted((await answer).rows) };
  } catch (error) {
    if (error instanceof TrailhoundError && ['unbounded_key', 'not_supported'].includes(error.code)) return 'refused';
    if (error instanceof TrailhoundError && error.code === 'statement_timeout') return 'late';
    if (error instanceof BackendError) return { sqlstate: error.fields.get('C') };
    return { sqlstate: error instanceof Error && 'code' in error ? String(error.code) : String(error) };
  }
}

test('any statement gives the rows of plain tables, their error, or a refusal', { timeout: 120_000 }, async () => {
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(9_999), { minLength: 150, maxLength: 150 }), async (numbers) => {
      const text = randomStatement(numbers);
      const expected = await outcomeOf(bench.oracle(text).then((rows) => ({ rows })));
      if (typeof expected === 'string') throw new Error('plain tables refuse nothing');
      // What is no statement to PostgreSQL, or takes too long, is no example.
      if ('sqlstate' in expected && /^(42|0A|57)/.test(expected.sqlstate ?? '')) return;
      if ('rows' in expected && expected.rows.length > ROWS) return;
      let asked: readonly string[] = [];
      const outcome = await outcomeOf(
        bench.ask(text).then((answer) => {
          asked = answer.asked;
          return answer;
        }),
      );
      if (typeof outcome === 'string' || ('sqlstate' in outcome && outcome.sqlstate === '57014')) return;
      expect(outcome, text).toEqual(expected);
      expect(new Set(asked).size, text).toBe(asked.length);
      answered += 1;
    }),
    // Shrinking ends in time to say what it has found.
    { numRuns: STATEMENTS, seed: SEED, interruptAfterTimeLimit: 90_000 },
  );
  expect(answered).toBeGreaterThan(STATEMENTS / 4);
});
