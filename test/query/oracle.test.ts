import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBench, sorted, type Bench } from './support/bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});

const ALL = ['2600:1f18::7', '34.1.1.1', '34.1.1.2', '34.1.1.3'];
const E = 'cloudtrail_trail_event';
const A = 'abuseipdb_check_ip';

/** A statement, and the addresses that it may cost a call each. */
const STATEMENTS: readonly (readonly [name: string, text: string, asked: readonly string[]])[] = [
  [
    'an IN subquery over a cast',
    `select ip_address, abuse_confidence_score from ${A} where ip_address in (select distinct(inet(source_ip_address)) from ${E} where event_name = 'CreateUser' and source_ip_address like '34.%')`,
    ['34.1.1.1', '34.1.1.3'],
  ],
  ['a column that a computed one is made of, by itself', `select event_id, user_arn from ${E}`, []],
  ['a column computed of several', `select event_id, user_identifier from ${E}`, []],
  [
    'inet = text',
    `select e.event_id, a.abuse_confidence_score from ${E} e join ${A} a on a.ip_address = e.source_ip_address`,
    ALL,
  ],
  [
    'text = inet, the lookup first',
    `select e.event_id, a.is_tor from ${A} a join ${E} e on e.source_ip_address = a.ip_address`,
    ALL,
  ],
  [
    'inet = inet by comma',
    `select count(*) from ${A} a, ${E} e where e.source_ip = a.ip_address and e.username = 'user1'`,
    ['34.1.1.3'],
  ],
  [
    'host() on both sides',
    `select e.event_id from ${E} e join ${A} a on host(a.ip_address) = host(e.source_ip) where a.is_public`,
    ALL,
  ],
  [
    'a left join that filters in ON',
    `select e.event_id, a.abuse_confidence_score from ${E} e left join ${A} a on a.ip_address = e.source_ip and a.abuse_confidence_score > 20 and e.event_name = 'GetObject'`,
    ['34.1.1.2'],
  ],
  [
    'an anti-join by IS NULL',
    `select e.event_id from ${E} e left join ${A} a on a.ip_address = e.source_ip and a.abuse_confidence_score > 20 where a.ip_address is null`,
    ALL,
  ],
  [
    'EXISTS',
    `select event_id from ${E} e where exists (select from ${A} a where a.ip_address = e.source_ip and a.is_tor) and event_name <> 'CreateUser'`,
    ALL,
  ],
  [
    'NOT EXISTS',
    `select event_id from ${E} e where not exists (select from ${A} a where a.ip_address = e.source_ip and a.abuse_confidence_score > 20)`,
    ALL,
  ],
  [
    'NOT IN over text',
    `select event_id from ${E} e where source_ip_address not in (select ip_address from ${A} where abuse_confidence_score > 20)`,
    ALL,
  ],
  [
    'NOT IN over inet',
    `select event_id from ${E} e where source_ip not in (select ip_address from ${A} where is_tor)`,
    ALL,
  ],
  [
    '<> ALL in the target list',
    `select event_id, source_ip_address <> all (select ip_address from ${A} where is_public) from ${E}`,
    ALL,
  ],
  [
    'IN under OR',
    `select event_id from ${E} where event_name = 'CreateUser' or source_ip in (select ip_address from ${A} where is_tor)`,
    ALL,
  ],
  [
    'a scalar subquery',
    `select event_id, (select abuse_confidence_score from ${A} a where a.ip_address = e.source_ip) from ${E} e where event_id < 'e20'`,
    ALL,
  ],
  [
    'LATERAL',
    `select e.event_id, x.country_code from ${E} e left join lateral (select * from ${A} a where a.ip_address = e.source_ip) x on true`,
    ALL,
  ],
  [
    'a derived lookup bounded from outside',
    `select e.event_id, a.n from ${E} e join (select ip_address ip, count(*) n from ${A} where is_public group by ip_address) a on a.ip = e.source_ip`,
    ALL,
  ],
  [
    'top addresses',
    `select t.ip, t.n, a.abuse_confidence_score from (select source_ip ip, count(*) n from ${E} where source_ip is not null group by 1 order by 2 desc, 1 limit 2) t left join ${A} a on a.ip_address = t.ip`,
    ['34.1.1.2'],
  ],
  [
    'top addresses in IN',
    `select ip_address from ${A} where ip_address in (select source_ip from ${E} where source_ip is not null order by event_time desc nulls last, event_id limit 3)`,
    ['34.1.1.1', '34.1.1.2'],
  ],
  [
    'a CTE',
    `with k as (select distinct source_ip from ${E} where event_name = 'ConsoleLogin') select k.source_ip, a.country_code from k join ${A} a on a.ip_address = k.source_ip`,
    ALL,
  ],
  [
    'two CTEs, one materialized',
    `with k as materialized (select source_ip, count(*) n from ${E} group by 1), j as (select * from k where n > 6) select j.*, a.country_code from j left join ${A} a on a.ip_address = j.source_ip`,
    ['34.1.1.2'],
  ],
  [
    'a chain of three',
    `select e.event_id, f.id, a.country_code from ${E} e join guardduty_finding f on f.remote_ip = e.source_ip join ${A} a on a.ip_address = f.remote_ip`,
    ['34.1.1.3'],
  ],
  [
    'findings with their reputation',
    `select f.id, a.abuse_confidence_score from guardduty_finding f left join ${A} a on a.ip_address = f.remote_ip`,
    ['34.1.1.3', '34.1.1.9'],
  ],
  [
    'a lookup of a lookup',
    `select e.event_id, b.country_code from ${E} e join ${A} a on a.ip_address = e.source_ip and a.is_tor join ${A} b on b.ip_address = a.ip_address`,
    ALL,
  ],
  [
    'an IN list',
    `select * from (select ip_address, is_tor from ${A} where ip_address in ('34.1.1.1', '34.1.1.77', '10.0.0.1')) x`,
    ['34.1.1.1', '34.1.1.77'],
  ],
  [
    'an array',
    `select ip_address, is_tor from ${A} where ip_address = any('{34.1.1.1,34.1.1.9}')`,
    ['34.1.1.1', '34.1.1.9'],
  ],
  [
    'OR of equalities',
    `select ip_address from ${A} where ip_address = '34.1.1.1' or (ip_address = '34.1.1.9' and not is_tor)`,
    ['34.1.1.1', '34.1.1.9'],
  ],
  [
    'an ordinary table',
    `select w.note, a.abuse_confidence_score from watchlist w left join ${A} a on a.ip_address = w.address`,
    ['34.1.1.1', '34.1.1.77'],
  ],
  [
    'a union of lookups',
    `select ip_address from ${A} where ip_address = '34.1.1.1' union select a.ip_address from ${A} a join watchlist w on w.address = a.ip_address`,
    ['34.1.1.1', '34.1.1.77'],
  ],
  [
    'USING',
    `select ip_address, note, is_tor from ${A} join (select address as ip_address, note from watchlist) w using (ip_address)`,
    ['34.1.1.1', '34.1.1.77'],
  ],
  [
    'NATURAL',
    `select * from (select ip_address, country_code from ${A}) a natural join (select address as ip_address from watchlist) w`,
    ['34.1.1.1', '34.1.1.77'],
  ],
  [
    'row equality',
    `select a.ip_address from ${A} a join watchlist w on (a.ip_address, a.is_public) = (w.address, true)`,
    ['34.1.1.1', '34.1.1.77'],
  ],
  [
    'a strict WHERE turns a left join around',
    `select a.ip_address, e.event_id from ${A} a left join ${E} e on a.ip_address = e.source_ip where e.event_name = 'CreateUser'`,
    ALL,
  ],
  [
    'a right join',
    `select e.event_id, a.ip_address from ${A} a right join ${E} e on a.ip_address = e.source_ip and e.event_name = 'GetObject'`,
    ['34.1.1.2'],
  ],
  [
    'windows over a join',
    `select event_id, rank() over (partition by a.country_code order by event_id) from ${E} e join ${A} a on a.ip_address = e.source_ip`,
    ALL,
  ],
  [
    'a window below the join',
    `select x.event_id, a.is_tor from (select event_id, source_ip, row_number() over (partition by username order by event_id) n from ${E}) x join ${A} a on a.ip_address = x.source_ip where n = 1`,
    ['2600:1f18::7', '34.1.1.1', '34.1.1.2'],
  ],
  [
    'GROUP BY and HAVING',
    `select username, max(abuse_confidence_score) from ${E} e join ${A} a on a.ip_address = e.source_ip group by username having count(*) > 3`,
    ALL,
  ],
  [
    'keys by an expression',
    `select e.event_id from ${E} e join ${A} a on a.ip_address = coalesce(e.source_ip, '34.1.1.9') where a.country_code is null`,
    ['2600:1f18::7', '34.1.1.1', '34.1.1.2', '34.1.1.3', '34.1.1.9'],
  ],
  [
    'keys by CASE and split_part',
    `select w.note, a.is_tor from watchlist w join ${A} a on a.ip_address = case when note = 'known' then split_part(host(w.address) || ':443', ':', 1) end`,
    ['34.1.1.1'],
  ],
  [
    'VALUES',
    `select v.n, a.is_tor from (values (1, '34.1.1.9'), (2, 'none'), (3, null)) v(n, ip) left join ${A} a on a.ip_address = v.ip`,
    ['34.1.1.9'],
  ],
  [
    'a network is no address',
    `select ip_address from ${A} where ip_address in ('34.1.1.0/24', '34.1.1.9')`,
    ['34.1.1.9'],
  ],
  [
    'a constant that is false',
    `select e.event_id from ${E} e join ${A} a on a.ip_address = e.source_ip where 1 <> 1`,
    [],
  ],
  ['LIMIT 0', `select * from ${E} e join ${A} a on a.ip_address = e.source_ip limit 0`, []],
  ['a contradiction', `select event_id from ${E} where event_name = null`, []],
  [
    'a nested outer join',
    `select w.note, e.event_id, a.is_tor from watchlist w left join (${E} e join ${A} a on a.ip_address = e.source_ip) on e.source_ip = w.address`,
    ['34.1.1.1'],
  ],
  [
    'a nested outer join read by IS NULL',
    `select w.note from watchlist w left join (${E} e join ${A} a on a.ip_address = e.source_ip and a.is_tor) on e.source_ip = w.address where e.event_id is null`,
    ['34.1.1.1'],
  ],
  [
    'correlation over two levels',
    `select w.note, (select count(*) from ${E} e where e.source_ip = w.address and exists (select from ${A} a where a.ip_address = w.address and a.abuse_confidence_score > 5 and e.event_id > 'e05')) from watchlist w`,
    ['34.1.1.1'],
  ],
  [
    'self-join with other filters',
    `select a.event_id, b.event_id from ${E} a join ${E} b on a.source_ip = b.source_ip and a.event_name = 'CreateUser' and b.event_name = 'ConsoleLogin'`,
    [],
  ],
];

describe('the same rows as over plain tables that hold everything', () => {
  test.each(STATEMENTS)('%s', async (_name, text, calls) => {
    const { rows, asked } = await bench.ask(text);
    expect(asked).toEqual(calls);
    expect(sorted(rows)).toEqual(sorted(await bench.oracle(text)));
  });
});
