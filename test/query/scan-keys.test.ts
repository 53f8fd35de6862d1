import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Predicate } from '../../src/sources/source.ts';
import { openBench, sorted, type Bench } from './support/bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
  await bench.client.query(`
    create collation public.any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    create table public.people (name text, folded text collate public.any_case, padded char(9), address text, mask inet);
    insert into people values
      ('user1', 'USER1', 'user1', '034.1.1.3', '34.1.1.0/24'), ('user9', 'user9', 'user9', 'AWS Internal', null), (null, null, null, null, null);
    create table public.nobody (name text);
    grant select on people, nobody to public`);
});
afterAll(async () => {
  await bench.close();
});

const E = 'cloudtrail_trail_event';
const F = 'guardduty_finding';
const A = 'abuseipdb_check_ip';

/** A statement, and what each scan of events is asked. */
type Case = readonly [name: string, text: string, asked: readonly string[]];

function said({ column, operator, values }: Predicate): string {
  return [column.name, operator, [...values].sort().join(', ')].filter((part) => part !== '').join(' ');
}

async function asks(text: string, asked: readonly string[]): Promise<void> {
  const expected = sorted(await bench.oracle(text));
  bench.events.requests.length = 0;
  const { rows } = await bench.ask(text);
  expect(sorted(rows)).toEqual(expected);
  const scans = bench.events.requests.map(({ predicates }) => predicates.map(said).join(' and '));
  expect(scans.sort()).toEqual([...asked].sort());
}

const FOUND = 'source_ip = 34.1.1.3, 34.1.1.9';

const KEYED: readonly Case[] = [
  ['a small scan', `select e.event_id, f.id from ${E} e join ${F} f on f.remote_ip = e.source_ip`, [FOUND]],
  [
    'a small scan with its own conditions',
    `select e.event_id, f.id from ${F} f, ${E} e where f.remote_ip = e.source_ip and f.severity > 6 and e.event_name = 'GetObject'`,
    ['event_name = GetObject and source_ip = 34.1.1.9'],
  ],
  [
    'addresses for the column of texts that may be some',
    `select e.event_id, f.id from ${E} e join ${F} f on f.remote_ip = e.source_ip_address`,
    [FOUND],
  ],
  [
    'addresses that are texts to nobody but the text, by way of a look-up',
    `select e.event_id, a.country_code from ${A} a join ${E} e on e.source_ip_address = a.ip_address where a.ip_address in ('2600:1f18:0::7', '034.001.1.3', null)`,
    ['source_ip = 2600:1f18::7, 34.1.1.3'],
  ],
  [
    'what is no address, by way of a look-up',
    `select e.event_id, a.country_code from ${A} a join ${E} e on e.source_ip_address = a.ip_address join people p on p.address = a.ip_address where p.mask is null`,
    [],
  ],
  [
    'a cast to what the column is already',
    `select e.event_id, f.id from ${E} e join ${F} f on f.remote_ip::inet = e.source_ip`,
    [FOUND],
  ],
  [
    'IN and EXISTS',
    `select event_id from ${E} e where source_ip in (select remote_ip from ${F}) and exists (select from people where name = e.username)`,
    [`source_ip = 34.1.1.3, 34.1.1.9 and username = user1, user9`],
  ],
  [
    'an ordinary table',
    `select e.event_id, w.note from watchlist w join ${E} e on e.source_ip = w.address`,
    ['source_ip = 34.1.1.1, 34.1.1.77'],
  ],
  [
    'texts that may be addresses',
    `select e.event_id from people p join ${E} e on e.source_ip = p.address`,
    ['source_ip = 34.1.1.3'],
  ],
  [
    'VALUES',
    `select e.event_id, v.n from (values ('user1', 1), ('user2', 2), (null, 3)) v(name, n) join ${E} e on e.username = v.name`,
    ['username = user1, user2'],
  ],
  [
    'the optional side of an outer join',
    `select f.id, e.event_id from ${F} f left join ${E} e on e.source_ip = f.remote_ip`,
    [FOUND],
  ],
  [
    'not the side that is kept',
    `select f.id, e.event_id from ${E} e left join ${F} f on e.source_ip = f.remote_ip`,
    [''],
  ],
  [
    'a derived table and a CTE of events',
    `with x as (select * from (select source_ip as ip, event_id from ${E}) y) select x.event_id, f.id from x join ${F} f on f.remote_ip = x.ip`,
    [FOUND],
  ],
  [
    'a selective scan of the same table',
    `select a.event_id, b.event_id from ${E} a join ${E} b on a.username = b.username where a.event_id = 'e01' and b.error_code is not null`,
    ['event_id = e01', 'error_code is not null and username = user1'],
  ],
  [
    'a chain of scans',
    `select f.id, b.event_id from ${F} f join ${E} a on a.source_ip = f.remote_ip join ${E} b on b.username = a.username`,
    [FOUND, 'username = user1'],
  ],
  [
    'what a look-up equals that a list bounds',
    `select e.event_id, a.is_tor from ${E} e join ${A} a on a.ip_address = e.source_ip where a.ip_address in ('34.1.1.1', '34.1.1.2')`,
    ['source_ip = 34.1.1.1, 34.1.1.2'],
  ],
  [
    'either of two',
    `select e.event_id from ${E} e, ${F} f, watchlist w where e.source_ip = f.remote_ip or e.source_ip = w.address`,
    ['source_ip = 34.1.1.1, 34.1.1.3, 34.1.1.77, 34.1.1.9'],
  ],
  [
    'a correlated subquery',
    `select f.id, (select count(*) from ${E} e where e.source_ip = f.remote_ip) from ${F} f`,
    [FOUND],
  ],
  [
    'a correlated subquery that must find nothing',
    `select f.id from ${F} f where not exists (select from ${E} e where e.source_ip = f.remote_ip)`,
    [FOUND],
  ],
  [
    'not NOT IN',
    `select event_id from ${E} where source_ip not in (select remote_ip from ${F} where remote_ip is not null)`,
    [''],
  ],
  [
    'not NOT IN of events',
    `select id from ${F} where remote_ip not in (select source_ip from ${E} where source_ip is not null)`,
    [''],
  ],
  ['nothing at all for no value', `select e.event_id from nobody n join ${E} e on e.username = n.name`, []],
  [
    'no IS NOT DISTINCT FROM',
    `select p.name, e.event_id from people p join ${E} e on e.username is not distinct from p.name`,
    [''],
  ],
  [
    'no texts that another collation compares',
    `select p.name, e.event_id from people p join ${E} e on e.username = p.folded`,
    [''],
  ],
  [
    'no texts whose blanks do not count',
    `select p.name, e.event_id from people p join ${E} e on e.username = p.padded`,
    [''],
  ],
  ['no networks', `select p.name, e.event_id from people p join ${E} e on e.source_ip = p.mask`, ['']],
  [
    'no host() of networks',
    `select p.name, e.event_id from people p join ${E} e on host(e.source_ip) = host(p.mask)`,
    [''],
  ],
  [
    'no values that cannot be computed for every row',
    `select p.name, e.event_id from people p join ${E} e on e.source_ip = p.address::inet where p.name = 'user1'`,
    [''],
  ],
  [
    'no recursion, which may have no end',
    `with recursive r(n) as (select 1 union all select n + 1 from r where n < 3) select e.event_id from r join ${E} e on e.username = 'user' || r.n`,
    [''],
  ],
  [
    'no values behind LIMIT of events',
    `select x.event_id, f.id from (select * from ${E} order by event_id limit 9) x join ${F} f on f.remote_ip = x.source_ip`,
    [''],
  ],
];

describe('a large scan waits for the values of', () => {
  test.each(KEYED)('%s', async (_name, text, asked) => {
    await asks(text, asked);
  });
});

test('more values than a scan could be asked for leave it as it is', async () => {
  const text = `select count(*) from generate_series(1, 1200) n join ${E} e on e.username = 'user' || n`;
  await asks(text, ['']);
});

test('values that the source does not take leave it as it is', async () => {
  const plain = await openBench({ exactness: 'none' });
  try {
    const text = `select e.event_id, f.id from ${E} e join ${F} f on f.remote_ip = e.source_ip`;
    const { rows } = await plain.ask(text);
    expect(sorted(rows)).toEqual(sorted(await plain.oracle(text)));
    expect(plain.events.requests.map(({ predicates }) => predicates)).toEqual([[]]);
  } finally {
    await plain.close();
  }
});
