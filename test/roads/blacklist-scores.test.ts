import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { openRoad, textRows, type Road } from './support/road.ts';

/** Whatever a statement says of scores: the list that is asked for has all that it can need. */

const SCORES = [100, 95, 92, 90, 89, 75, 60, 51, 50, 49, 40, 30, 25];

let road: Road;
let client: Client;

beforeAll(async () => {
  const check = Object.fromEntries(
    SCORES.map((score, index) => [`33.1.1.${index + 1}`, { abuseConfidenceScore: score, totalReports: 10 + index }]),
  );
  road = await openRoad({
    simulator: {
      world: { accounts: [], abuseipdb: { dailyLimit: { blacklist: 100 }, check, blacklist: { made: 0 } } },
    },
  });
  client = await road.connect();
  await client.query(`
    create table least (score int, name text);
    insert into least values (40, 'low'), (80, 'high'), (null, 'none');
    create table listed as select * from abuseipdb_blacklist where confidence_minimum = 25;
    create view low as select ip_address, abuse_confidence_score as score from abuseipdb_blacklist;
    create view low_listed as select ip_address, abuse_confidence_score as score from listed;
    create function below(n int) returns bigint stable language sql
      as $$ select count(*) from abuseipdb_blacklist where not abuse_confidence_score >= n $$;
    create function below_listed(n int) returns bigint stable language sql
      as $$ select count(*) from listed where not abuse_confidence_score >= n $$;
    create function counted(what text) returns bigint stable language plpgsql
      as $$ begin return (select count(*) filter (where case when what = 'low' then abuse_confidence_score < 60 end)
        from abuseipdb_blacklist); end $$;
    create function counted_listed(what text) returns bigint stable language plpgsql
      as $$ begin return (select count(*) filter (where case when what = 'low' then abuse_confidence_score < 60 end)
        from listed); end $$`);
});
afterAll(async () => {
  await road.close();
});

/** Rows as PostgreSQL has them of a table with the whole list; and what was asked for. */
async function asked(text: string): Promise<string[]> {
  const plain = text
    .replace(/\babuseipdb_blacklist\b/g, 'listed')
    .replace(/\b(low|below|counted)\b(?=[ (])/g, '$1_listed');
  expect(plain).not.toBe(text);
  expect((await textRows(client, text)).sort()).toEqual((await textRows(client, plain)).sort());
  const lines = (await textRows(client, `explain ${text}`)).flat().join('\n');
  return [...new Set(Array.from(lines.matchAll(/confidenceMinimum=(\d+)/g), ([, minimum]) => minimum ?? ''))].sort();
}

describe('conditions that say how low scores are', () => {
  test.each([
    ['not abuse_confidence_score < 50', '50'],
    ['not (abuse_confidence_score <= 50 or country_code is null)', '50'],
    ['abuse_confidence_score >= 95 or abuse_confidence_score between 60 and 75', '60'],
    [`abuse_confidence_score >= 95 and country_code is not null or abuse_confidence_score = 60 and not false`, '60'],
    ['abuse_confidence_score between symmetric 75 and 51', '51'],
    ['(abuse_confidence_score > 49) is true', '49'],
    ['(abuse_confidence_score < 60) is false', '60'],
    ['not abuse_confidence_score <> 60', '60'],
    ['abuse_confidence_score is not distinct from 60', '60'],
    [`abuse_confidence_score = any ('{60,92}'::int[])`, '60'],
    ['not (abuse_confidence_score <> all (array[60, 75]))', '60'],
    ['abuse_confidence_score = (select 60)', '60'],
    ['abuse_confidence_score > 95 or abuse_confidence_score > 70 and 1 = 2', '90'],
    ['abuse_confidence_score >= 95 and abuse_confidence_score <> 97', '90'],
  ])('%s', async (condition, minimum) => {
    expect(await asked(`select ip_address from abuseipdb_blacklist where ${condition}`)).toEqual([minimum]);
  });
});

describe('of others the widest list is asked for', () => {
  test.each([
    [
      'an alternative of something else',
      `select ip_address from abuseipdb_blacklist where abuse_confidence_score > 95 or ip_address = '33.1.1.12'`,
    ],
    ['no lower bound', `select ip_address from abuseipdb_blacklist where not abuse_confidence_score >= 50`],
    [
      'a range that it is not in',
      `select ip_address from abuseipdb_blacklist where abuse_confidence_score not between 0 and 59`,
    ],
    [
      'what it is not',
      `select ip_address from abuseipdb_blacklist where abuse_confidence_score <> all (array[100, 95])`,
    ],
    [
      'a value that is not',
      `select ip_address from abuseipdb_blacklist where (abuse_confidence_score >= 92) is not true`,
    ],
    ['an expression', `select ip_address from abuseipdb_blacklist where 100 - abuse_confidence_score > 60`],
    ['a type', `select ip_address from abuseipdb_blacklist where abuse_confidence_score::text like '4%'`],
    ['a function', `select ip_address from abuseipdb_blacklist where int4lt(abuse_confidence_score, 50)`],
    ['FILTER', `select count(*) filter (where abuse_confidence_score < 50) from abuseipdb_blacklist`],
    [
      'an aggregate of CASE',
      `select sum(case when abuse_confidence_score < 50 then 1 else 0 end) from abuseipdb_blacklist`,
    ],
    ['an aggregate of a comparison', `select bool_or(abuse_confidence_score = 40) from abuseipdb_blacklist`],
    [
      'the same further out',
      `select count(*) filter (where l) from (select abuse_confidence_score < 50 as l from abuseipdb_blacklist) s`,
    ],
    [
      'an aggregate of it further out',
      `select bool_and(l) from (select abuse_confidence_score > 50 as l from abuseipdb_blacklist) s`,
    ],
    ['HAVING', `select country_code from abuseipdb_blacklist group by 1 having min(abuse_confidence_score) < 50`],
    [
      'a join',
      `select l.name, b.ip_address from least l join abuseipdb_blacklist b on b.abuse_confidence_score > l.score`,
    ],
    [
      'an outer join',
      `select l.name, b.ip_address from least l left join abuseipdb_blacklist b on b.abuse_confidence_score < l.score`,
    ],
    [
      'the preserved side',
      `select l.name, b.ip_address from abuseipdb_blacklist b left join least l on b.abuse_confidence_score = l.score where l.name is not null`,
    ],
    [
      'rows',
      `select ip_address from abuseipdb_blacklist where abuse_confidence_score < (select max(score) from least)`,
    ],
    [
      'a list of rows',
      `select ip_address from abuseipdb_blacklist where abuse_confidence_score not in (select score from least where score is not null)`,
    ],
    [
      'a correlated subquery',
      `select name from least l where exists (select from abuseipdb_blacklist b where b.abuse_confidence_score between l.score and l.score + 5)`,
    ],
    [
      'LATERAL',
      `select l.name, b.n from least l, lateral (select count(*) as n from abuseipdb_blacklist where abuse_confidence_score >= l.score) b`,
    ],
    [
      'a CTE',
      `with b as materialized (select ip_address, abuse_confidence_score as s from abuseipdb_blacklist) select count(*) from b where s < 50`,
    ],
    [
      'several mentions of one',
      `with b as (select abuse_confidence_score as s from abuseipdb_blacklist) select count(*) from b where s < 50 union all select count(*) from b where s >= 92`,
    ],
    ['INTERSECT', `select abuse_confidence_score from abuseipdb_blacklist intersect select score from least`],
    ['a view', `select ip_address from low where score < 50`],
    ['a function of SQL', `select below(50)`],
  ])('%s', async (_name, text) => {
    expect(await asked(text)).toEqual(['25']);
  });

  test('a parameter that is not there', async () => {
    const text = (list: string) => `select ip_address from ${list} where abuse_confidence_score = $1 or $1 is null`;
    for (const value of [null, 40])
      expect((await textRows(client, text('abuseipdb_blacklist'), [value])).sort()).toEqual(
        (await textRows(client, text('listed'), [value])).sort(),
      );
  });

  test('what PL/pgSQL computes itself', async () => {
    expect(await textRows(client, `select counted('low')`)).toEqual(
      await textRows(client, `select counted_listed('low')`),
    );
  });

  test('under a search_path that is read otherwise', async () => {
    await client.query(`select set_config('search_path', current_setting('search_path') || ', pg_catalog', false)`);
    try {
      const text = (list: string) => `select ip_address from ${list} where not abuse_confidence_score >= 50`;
      expect(await textRows(client, text('abuseipdb_blacklist'))).toEqual(await textRows(client, text('listed')));
    } finally {
      await client.query('reset search_path');
    }
  });
});

describe('where scores are only shown, the default is', () => {
  test.each([
    'select ip_address, abuse_confidence_score from abuseipdb_blacklist order by abuse_confidence_score',
    'select max(abuse_confidence_score), count(*) from abuseipdb_blacklist',
    `select ip_address, case when abuse_confidence_score = 100 then 'certain' end from abuseipdb_blacklist`,
    'select abuse_confidence_score, count(*) from abuseipdb_blacklist group by 1',
    'select ip_address from abuseipdb_blacklist where abuse_confidence_score is not null',
    `select l.name from least l left join abuseipdb_blacklist b on b.ip_address = '33.1.1.13' where b.abuse_confidence_score is null`,
  ])('%s', async (text) => {
    const lines = (await textRows(client, `explain ${text}`)).flat().join('\n');
    expect(lines).toContain('confidenceMinimum=90');
  });
});

test('the whole list, once kept, answers whatever bounds the score', async () => {
  const before = road.simulator.calls.count({ service: 'abuseipdb' });
  await client.query('set trailhound.cache = on');
  await client.query('select from abuseipdb_blacklist where abuse_confidence_score < 30');
  const whole = road.simulator.calls.count({ service: 'abuseipdb' });
  expect(whole - before).toBeLessThanOrEqual(1);
  const { rows } = await client.query(
    'select abuse_confidence_score as score from abuseipdb_blacklist where abuse_confidence_score between 50 and 70 order by 1',
  );
  expect(rows).toEqual([{ score: 50 }, { score: 51 }, { score: 60 }]);
  expect(road.simulator.calls.count({ service: 'abuseipdb' })).toBe(whole);
});

test('statements that want the same list at once share one call', async () => {
  await client.query('select trailhound.cache_clear($1)', ['abuseipdb_blacklist']);
  road.simulator.calls.reset();
  const others = await Promise.all([1, 2, 3].map(() => road.connect()));
  const text = 'select count(*) from abuseipdb_blacklist';
  const found = await Promise.all([client, ...others].map((one) => textRows(one, text)));
  expect(new Set(found.flat(2)).size).toBe(1);
  expect(road.simulator.calls.count({ operation: 'blacklist' })).toBe(1);
});
