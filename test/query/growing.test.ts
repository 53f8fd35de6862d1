import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBench, sorted, type Bench } from './support/bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});

const A = 'abuseipdb_check_ip';
const MANY = `generate_series(0, 199) n join ${A} a on a.ip_address = inet '20.0.0.0' + n`;

/** Rows of the whole join that any LIMIT may choose from: the score is eleven times the last digit. */
function isAnswer([address, score]: readonly unknown[]): boolean {
  return Number(score) === 11 * Number(String(address).at(-1));
}

describe('LIMIT over a join asks for keys in growing batches', () => {
  test.each([
    ['the first batch has enough', `select a.ip_address, a.abuse_confidence_score from ${MANY} limit 3`, 3, 16],
    [
      'the second one',
      `select a.ip_address, a.abuse_confidence_score from ${MANY} where a.abuse_confidence_score > 40 limit 20`,
      20,
      64,
    ],
    ['OFFSET counts', `select a.ip_address, a.abuse_confidence_score from ${MANY} limit 3 offset 20`, 3, 64],
    [
      'not beside a table whose rows may change in between',
      `select a.ip_address, a.abuse_confidence_score from ${MANY} left join watchlist w on false limit 3`,
      3,
      200,
    ],
    [
      'DISTINCT',
      `select distinct a.ip_address, a.abuse_confidence_score from ${MANY}, generate_series(1, 5) limit 10`,
      10,
      16,
    ],
  ] as const)('%s', async (_name, text, rows, calls) => {
    const answer = await bench.ask(text);
    expect(answer.rows).toHaveLength(rows);
    expect(answer.rows.every(isAnswer)).toBe(true);
    expect(new Set(answer.rows.map(String)).size).toBe(rows);
    expect(answer.asked).toHaveLength(calls);
    expect(new Set(answer.asked).size).toBe(calls);
  });

  test('and for all of them where no row is left out by the choice', async () => {
    const { rows, asked } = await bench.ask(`select a.ip_address, a.abuse_confidence_score from ${MANY} limit 1000`);
    expect([rows.length, rows.every(isAnswer), asked.length]).toEqual([200, true, 200]);
  });

  test('by a parameter', async () => {
    const text = `select a.ip_address, a.abuse_confidence_score from ${MANY} limit $1`;
    expect((await bench.ask(text, ['2'], [20])).asked).toHaveLength(16);
    expect((await bench.ask(text, [null], [20])).asked).toHaveLength(200);
  });

  test('a chain follows the keys that were asked', async () => {
    const { rows, asked } = await bench.ask(
      `select b.ip_address, b.abuse_confidence_score from ${MANY} join ${A} b on b.ip_address = a.ip_address + 1000 limit 3`,
    );
    expect([rows.length, rows.every(isAnswer), asked.length]).toEqual([3, true, 32]);
  });

  test('with no more than trailhound.max_lookups before one batch too many', async () => {
    await bench.client.query('set trailhound.max_lookups = 40');
    const enough = await bench.ask(`select a.ip_address, a.abuse_confidence_score from ${MANY} limit 30`);
    expect([enough.rows.length, enough.asked.length]).toEqual([30, 40]);
    await expect(bench.ask(`select a.ip_address from ${MANY} limit 50`)).rejects.toMatchObject({
      code: 'lookup_budget',
    });
    expect(bench.checks.asked).toHaveLength(40);
    await bench.client.query('reset trailhound.max_lookups');
  });
});

describe('LIMIT asks for all keys', () => {
  test.each([
    ['where rows are sorted', `select a.ip_address from ${MANY} order by a.abuse_confidence_score, 1 limit 3`],
    ['where rows are counted', `select count(*) from ${MANY} limit 3`],
    [
      'where rows are grouped',
      `select a.abuse_confidence_score, count(*) from ${MANY} group by 1 having count(*) > 19 limit 10`,
    ],
    [
      'on the side that an outer join leaves out',
      `select n from generate_series(0, 199) n left join ${A} a on a.ip_address = inet '20.0.0.0' + n where a.ip_address is null limit 3`,
    ],
    [
      'below an anti-join',
      `select n from generate_series(0, 199) n where not exists (select from ${A} a where a.ip_address = inet '20.0.0.0' + n) limit 3`,
    ],
    [
      'below a window',
      `select a.ip_address, rank() over (order by a.abuse_confidence_score, a.ip_address) from ${MANY} limit 3`,
    ],
    ['WITH TIES', `select a.ip_address from ${MANY} order by a.abuse_confidence_score fetch first 3 rows with ties`],
  ])('%s', async (_name, text) => {
    expect((await bench.ask(text)).asked).toHaveLength(200);
  });
});

test('the same rows where they are all in the first batch', async () => {
  const text = `select e.event_id, a.abuse_confidence_score from cloudtrail_trail_event e join ${A} a on a.ip_address = e.source_ip
    where a.abuse_confidence_score > 20`;
  const all = sorted(await bench.oracle(text));
  const { rows } = await bench.ask(`${text} limit 5`);
  expect(rows).toHaveLength(5);
  for (const row of sorted(rows)) expect(all).toContain(row);
});
