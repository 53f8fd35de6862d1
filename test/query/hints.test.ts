import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TrailhoundError } from '../../src/kernel/errors.ts';
import { openBench, type Bench } from './support/bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
  await bench.client.query(`create table host (id int, name text); insert into host values (1, 'one')`);
});
afterAll(async () => {
  await bench.close();
});

async function refused(text: string): Promise<TrailhoundError> {
  const error = await bench.ask(text).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof TrailhoundError) return error;
  throw new Error(`not refused by us: ${String(error)}`);
}

const DOCUMENTATION = ['198.51.100.7', '203.0.113.9'];
const WORDS = 'ame the values, as in: ';

/** All that a hint proposes, run: nothing is asked but what it names. */
async function follow(text: string, { hint = '' }: TrailhoundError): Promise<string> {
  const at = hint.indexOf(WORDS);
  expect(at).toBeGreaterThan(0);
  const suggested = hint.slice(at + WORDS.length);
  await bench.client.query('begin');
  try {
    const { asked } = await bench.ask(suggested);
    expect(asked).toEqual(DOCUMENTATION);
  } finally {
    await bench.client.query('rollback');
  }
  const [, clause] = /^Add the condition (.*), or n/.exec(hint) ?? [];
  if (clause !== undefined) expect((await bench.ask(`${text} where ${clause}`)).asked.length).toBeGreaterThan(0);
  return hint;
}

describe('a key that nothing bounds', () => {
  test.each([
    [
      'select * from abuseipdb_check_ip',
      `Name the values, as in: select * from abuseipdb_check_ip where ip_address in`,
    ],
    [
      'select a.is_tor, 1 from public.abuseipdb_check_ip as A;  -- all',
      `Name the values, as in: select a.is_tor, 1 from public.abuseipdb_check_ip as A where ip_address in`,
    ],
    [
      'select count(*) from steampipe.abuseipdb_check_ip order by 1',
      'from (select * from steampipe.abuseipdb_check_ip where',
    ],
    ['table abuseipdb_check_ip', 'Name the values, as in: select * from (select * from abuseipdb_check_ip where'],
    ['select * from only (abuseipdb_check_ip) limit 3', 'limit 3'],
    [
      `select 'ä€𐍈', public.abuseipdb_check_ip.is_tor from public.abuseipdb_check_ip limit 3`,
      `select 'ä€𐍈', "abuseipdb_check_ip".is_tor from`,
    ],
    ['select b.c from abuseipdb_check_ip b(c)', ' b(c)'],
    [
      'select * from cloudtrail_trail_event e, abuseipdb_check_ip a',
      'Add the condition a.ip_address = e.source_ip, or name',
    ],
    [
      'select * from abuseipdb_check_ip join guardduty_finding f on f.severity > 4',
      'Add the condition abuseipdb_check_ip.ip_address = f.remote_ip, or name',
    ],
    [
      'select * from abuseipdb_check_ip a left join cloudtrail_trail_event e on e.source_ip = a.ip_address',
      'Add the condition a.ip_address = e.source_ip',
    ],
    ['select h.id, a.is_tor from host h cross join abuseipdb_check_ip a', 'Name the values'],
    ['select id, (select count(*) from abuseipdb_check_ip a where a.is_tor) from host', 'Name the values'],
    ['with w as (select * from abuseipdb_check_ip where is_tor) select count(*) from w', 'Name the values'],
    [`select from abuseipdb_check_ip a where a.ip_address > '1.1.1.1'`, 'Name the values'],
    ['insert into host select 1 from abuseipdb_check_ip', 'Name the values'],
    ['update host h set name = a.country_code from abuseipdb_check_ip a', 'Name the values'],
    ['create table made as select * from abuseipdb_check_ip with data', 'Name the values'],
  ])('is told by a statement that runs: %s', async (text, expected) => {
    const error = await refused(text);
    expect(error).toMatchObject({
      code: 'unbounded_key',
      message: 'abuseipdb_check_ip needs a value for ip_address',
      detail: expect.stringMatching(/No call was made\.$/) as string,
    });
    expect(await follow(text, error)).toContain(expected);
    expect(error.position).toBeGreaterThan(0);
  });
});

test('a long statement is not shown once more', async () => {
  const text = `select '${'x'.repeat(2_000)}' from abuseipdb_check_ip`;
  const hint = await follow(text, await refused(text));
  expect(hint).toMatch(/^Name the values, as in: select \* from abuseipdb_check_ip where ip_address in \([^)]*\)$/);
});

describe('look-ups that bound each other', () => {
  test.each([
    [
      'select * from abuseipdb_check_ip a join abuseipdb_check_ip b on a.ip_address = b.ip_address',
      'Each waits for another: a takes its values from b, b takes its values from a. No call was made.',
    ],
    [
      `select * from abuseipdb_check_ip a, abuseipdb_check_ip b, abuseipdb_check_ip c
        where a.ip_address = b.ip_address and b.ip_address = c.ip_address and a.is_tor`,
      /Each waits for another: a takes its values from \w.* No call was made\.$/,
    ],
    [
      'select * from abuseipdb_check_ip a where a.ip_address in (select b.ip_address from abuseipdb_check_ip b)',
      /No call was made\.$/,
    ],
  ])('say so, and how to begin: %s', async (text, detail) => {
    const error = await refused(text);
    expect(error.code).toBe('unbounded_key');
    expect(error.detail).toMatch(detail);
    await follow(text, error);
  });
});

test('too many keys say which table is asked by what, what is cached, and the limit that would do', async () => {
  const text = `select a.is_tor from cloudtrail_trail_event e join abuseipdb_check_ip a on a.ip_address = e.source_ip_address`;
  await bench.client.query('set trailhound.max_lookups = 1');
  const error = await refused(text);
  expect(error).toMatchObject({
    code: 'lookup_budget',
    message: '4 lookups needed, 1 allowed by trailhound.max_lookups',
    detail:
      'abuseipdb_check_ip is asked for 5 distinct values of e.source_ip_address; 1 of them need no call, because they are cached or known. No call was made.',
  });
  const [raise = ''] = /set trailhound\.max_lookups = \d+/.exec(error.hint ?? '') ?? [];
  await bench.client.query(raise);
  try {
    expect((await bench.ask(text)).asked).toHaveLength(4);
  } finally {
    await bench.client.query('reset trailhound.max_lookups');
  }
});
