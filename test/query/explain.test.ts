import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBench, type Bench } from './support/bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});

const E = 'cloudtrail_trail_event';
const A = 'abuseipdb_check_ip';

/** For each reference, in the order of the text, what EXPLAIN says of its calls; it makes none itself. */
async function estimates(text: string): Promise<readonly string[]> {
  const asText = await bench.ask(`explain ${text}`);
  const asJson = await bench.ask(`explain (format json) ${text}`);
  for (const { asked, scans } of [asText, asJson]) expect([...asked, scans]).toEqual([0]);
  const said = asText.rows.flatMap(([line]) => /^ {2}Estimated calls: (.*)$/.exec(String(line))?.[1] ?? []);
  const [first] = JSON.parse(String(asJson.rows[0]?.[0])) as [{ Trailhound: readonly { estimatedCalls?: string }[] }];
  expect(first.Trailhound.flatMap(({ estimatedCalls }) => estimatedCalls ?? [])).toEqual(said);
  return said;
}

const EACH_KEY = 'one a distinct key that is not cached';

describe('EXPLAIN estimates the calls of', () => {
  const cases: readonly (readonly [name: string, text: string, calls: readonly string[]])[] = [
    ['a scan', `select * from ${E}`, ['one or more']],
    [
      'a look-up by keys of other rows',
      `select * from ${E} e join ${A} a on a.ip_address = e.source_ip`,
      ['one or more', EACH_KEY],
    ],
    ['one key', `select * from ${A} where ip_address = '34.1.1.1'`, ['at most 1']],
    [
      'several keys, some of them twice',
      `select * from ${A} where ip_address in ('34.1.1.1', '34.1.1.2', '34.1.1.1')`,
      ['at most 2'],
    ],
    ['an array of keys', `select * from ${A} where ip_address = any ('{34.1.1.1,34.1.1.2,34.1.1.3}')`, [EACH_KEY]],
    [
      'keys with each value of an input column',
      `select * from ${A} where ip_address in ('34.1.1.1', '34.1.1.2') and max_age_in_days in (30, 90)`,
      ['at most 4'],
    ],
    [
      'addresses that are known without a call',
      `select * from ${A} where ip_address in ('10.0.0.1', '10.0.0.2')`,
      ['none'],
    ],
    [
      'keys of constants in rows',
      `select * from (values ('34.1.1.1'), ('34.1.1.2')) v(ip) join ${A} a on a.ip_address = v.ip::inet`,
      [EACH_KEY],
    ],
    [
      'a scan that waits for keys',
      `select * from watchlist w join ${E} e on e.source_ip = w.address`,
      ['one or more, or none where there are no keys'],
    ],
    ['nothing', `select * from ${E} where 1 <> 1`, []],
    ['what cannot be bounded', `select * from ${A}`, []],
  ];
  test.each(cases)('%s', async (_name, text, calls) => {
    expect(await estimates(text)).toEqual(calls);
  });
});
