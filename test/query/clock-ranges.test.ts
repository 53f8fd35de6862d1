import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBench, sorted, type Bench } from './support/bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});

const E = 'cloudtrail_trail_event';

/** Rows as PostgreSQL's over plain tables; what the only scan of events was asked. */
async function asked(condition: string): Promise<readonly string[]> {
  const text = `select event_id, event_time from ${E} where ${condition}`;
  const expected = sorted(await bench.oracle(text));
  bench.events.requests.length = 0;
  const { rows } = await bench.ask(text);
  expect(sorted(rows), condition).toEqual(expected);
  const asked = bench.events.requests.flatMap(({ predicates }) => predicates);
  return asked.map(({ column, operator, values }) => `${column.name} ${operator} ${values.map(time).join(', ')}`);
}

function time(milliseconds: string): string {
  return Number.isFinite(Number(milliseconds)) ? new Date(Number(milliseconds)).toISOString() : milliseconds;
}

const FROM_19 = 'event_time >= 2026-11-19T00:00:00.000Z';
const UNTIL_19 = 'event_time <= 2026-11-19T23:59:59.999Z';

describe('a condition on what a clock shows at an event is a range of its time', () => {
  test.each<readonly [condition: string, asked: readonly string[]]>([
    [`event_time::date = '2026-11-19'`, [FROM_19, UNTIL_19]],
    [`date(event_time) = date '2026-11-19'`, [FROM_19, UNTIL_19]],
    [`cast(event_time as pg_catalog.date) = '2026-11-19'`, [FROM_19, UNTIL_19]],
    [`'2026-11-19'::date = event_time::date`, [FROM_19, UNTIL_19]],
    [`date '2026-11-20' - 1 = event_time::date`, [FROM_19, UNTIL_19]],
    [`event_time::date = (select '2026-11-19'::date)`, [FROM_19, UNTIL_19]],
    [`event_time::date >= '2026-11-19'`, [FROM_19]],
    [`event_time::date > '2026-11-19'`, [FROM_19]],
    [`'2026-11-19' <= event_time::date`, [FROM_19]],
    [`event_time::date <= '2026-11-19'`, [UNTIL_19]],
    [`event_time::date < '2026-11-19'`, [UNTIL_19]],
    [`event_time::date < timestamptz '2026-11-19 13:00+00'`, [UNTIL_19]],
    [`event_time::date >= timestamp '2026-11-19 13:00'`, [FROM_19]],
    [`event_time::date between '2026-11-19' and '2026-11-19'`, [FROM_19, UNTIL_19]],
    [`event_time::date between '2026-11-19' and event_time::date`, [FROM_19]],
    [`event_time::date in ('2026-11-19')`, [FROM_19, UNTIL_19]],
    [`event_time::date in ('2026-11-19', null, date '2026-11-19')`, [FROM_19, UNTIL_19]],
    [`event_time::date in ('2026-11-19', '2026-11-18')`, ['event_time >= 2026-11-18T00:00:00.000Z', UNTIL_19]],
    [`event_time::date = date 'infinity'`, ['event_time >= 9998-12-31T00:00:00.000Z', 'event_time <= Infinity']],
    [`event_time::date >= '4713-01-01 BC'`, ['event_time >= -Infinity']],
    [`event_time::date <= '4713-01-01 BC'`, ['event_time <= 0001-01-02T00:00:00.000Z']],
    [`event_time::date <= '5874897-12-31'`, ['event_time <= Infinity']],
  ])('%s', async (condition, expected) => {
    expect(await asked(condition)).toEqual(expected);
  });

  test.each<readonly [condition: string, asked: readonly string[]]>([
    [
      `date_trunc('hour', event_time) = '2026-11-19 05:00'`,
      ['event_time >= 2026-11-19T05:00:00.000Z', 'event_time <= 2026-11-19T06:00:00.000Z'],
    ],
    [`date_trunc('day', event_time) >= '2026-11-19'`, [FROM_19]],
    [`date_trunc('DAY', event_time) >= date '2026-11-19'`, [FROM_19]],
    [
      `date_trunc('month', event_time) = timestamp '2026-11-01'`,
      ['event_time >= 2026-11-01T00:00:00.000Z', 'event_time <= 2026-12-02T00:00:00.000Z'],
    ],
    [
      `date_trunc('day', event_time, 'Europe/Berlin') = '2026-11-19 00:00+01'`,
      ['event_time >= 2026-11-17T23:00:00.000Z', 'event_time <= 2026-11-20T23:00:00.000Z'],
    ],
    [`date_trunc('day', event_time) < date '5874897-12-31'`, ['event_time <= Infinity']],
    [`date_trunc('day', event_time) > '4000-01-01 BC'`, ['event_time >= -Infinity']],
    [`event_time::timestamp >= '2026-11-19 00:00+14'`, [FROM_19]],
    [`event_time at time zone 'UTC' >= '2026-11-19'`, [FROM_19]],
    [
      `event_time at time zone 'utc' between '2026-11-19' and '2026-11-19 01:00'`,
      ['event_time >= 2026-11-18T00:00:00.000Z', 'event_time <= 2026-11-20T01:00:00.000Z'],
    ],
    [`event_time at time zone 'Europe/Berlin' >= '2026-11-19'`, ['event_time >= 2026-11-17T23:00:00.000Z']],
    [
      `event_time at time zone 'Europe/Berlin' >= timestamptz '2026-11-19 00:00+00'`,
      ['event_time >= 2026-11-17T23:00:00.000Z'],
    ],
    [`event_time at time zone 'Europe/Berlin' < date '5874897-12-31'`, ['event_time <= Infinity']],
    [
      `(event_time at time zone 'Europe/Berlin')::date = '2026-11-19 23:00'`,
      ['event_time >= 2026-11-17T23:00:00.000Z', 'event_time <= 2026-11-20T23:00:00.000Z'],
    ],
    [
      `date_trunc('hour', event_time at time zone 'Asia/Kathmandu') in ('2026-11-19 05:00', null)`,
      ['event_time >= 2026-11-17T23:15:00.000Z', 'event_time <= 2026-11-20T00:15:00.000Z'],
    ],
  ])('%s', async (condition, expected) => {
    expect(await asked(condition)).toEqual(expected);
  });

  test('as far as today', async () => {
    const [from, ...others] = await asked('event_time::date >= current_date - 1');
    const { rows } = await bench.client.query<{ from: Date }>(`select (current_date - 1)::timestamptz as from`);
    expect([from, others]).toEqual([`event_time >= ${rows[0]?.from.toISOString() ?? ''}`, []]);
  });
});

test.each([
  'event_time::date = null',
  `event_time::date in (null, null)`,
  `event_time::date between '2026-11-19' and null`,
])('nothing is asked for where no day is equal: %s', async (condition) => {
  expect(await asked(condition)).toEqual([]);
  expect(bench.events.requests).toEqual([]);
});

test.each([
  `event_time::date <> '2026-11-19'`,
  `event_time::date not in ('2026-11-19')`,
  `event_time::date = (event_time + interval '1 hour')::date`,
  `event_time::date = current_date - (random() * 0)::int`,
  `event_time::date in ('2026-11-19', event_time::date)`,
  `date_trunc('hour', event_time) <> '2026-11-19 05:00'`,
  `date_trunc('decade', event_time) = '2020-01-01'`,
  `date_trunc('hour', event_time, 'Europe/' || 'Berlin') = '2026-11-19 05:00'`,
  `date_trunc(lower('HOUR'), event_time) = '2026-11-19 05:00'`,
  `event_time at time zone interval '1 hour' >= '2026-11-19'`,
  `event_time::timestamp(0) >= '2026-11-19'`,
  `event_time::date is not distinct from '2026-11-19'`,
  `event_time::text::date = '2026-11-19'`,
  `(event_time::date = '2026-11-19') is not true`,
])('no range is known for %s', async (condition) => {
  expect(await asked(condition)).toEqual([]);
});

test('a name that is no time zone fails as soon as there is a row', async () => {
  for (const zone of ['Europe/Nowhere', 'noon']) {
    const condition = `event_time at time zone '${zone}' >= '9000-01-01'`;
    await expect(bench.ask(`select event_id from ${E} where ${condition}`), zone).rejects.toMatchObject({
      code: '22023',
    });
  }
});

test.each([`event_time::date = 'x'`, `event_time::date = 5`, `event_time::date = '2026-02-30'`])(
  'what PostgreSQL refuses, it refuses itself: %s',
  async (condition) => {
    const text = `select event_id from ${E} where ${condition}`;
    const own = await bench.oracle(text).catch((error: unknown) => error);
    const { code, message } = own as { code: string; message: string };
    const failed = (await bench.ask(text).catch((error: unknown) => error)) as { fields: ReadonlyMap<string, string> };
    expect([failed.fields.get('C'), failed.fields.get('M')]).toEqual([code, message]);
  },
);

test('an outer join keeps the rows that have no day, and LIMIT waits for PostgreSQL', async () => {
  for (const text of [
    `select w.note, e.event_id from watchlist w left join ${E} e on e.source_ip = w.address and e.event_time::date = '2026-11-19'`,
    `select w.note, e.event_id from watchlist w left join ${E} e on e.source_ip = w.address where e.event_time::date = '2026-11-19'`,
    `select w.note, e.event_id from ${E} e left join watchlist w on e.source_ip = w.address and e.event_time::date = '2026-11-19'`,
    `select event_id from (select * from ${E} where event_time::date < '2026-11-18 13:00'::timestamptz order by event_id limit 3) e`,
    `select count(*) from ${E} where event_time::date > '2026-11-19'`,
    `with e as (select * from ${E}) select count(*) from e a, e b where a.event_id = b.event_id and a.event_time::date = '2026-11-19'`,
  ]) {
    const { rows } = await bench.ask(text);
    expect(sorted(rows), text).toEqual(sorted(await bench.oracle(text)));
  }
});

/** Where clocks went back or forth, by an hour, half an hour or a day, at midnight or not. */
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/Sao_Paulo',
  'Asia/Beirut',
  'Pacific/Apia',
  'Australia/Lord_Howe',
  'America/Juneau',
  'Asia/Manila',
  'Pacific/Kwajalein',
  'Asia/Kathmandu',
  '+03',
  'AAA-99BBB+99',
];

test.each(ZONES)('in time zone %s days and hours hold the same events', async (zone) => {
  await bench.client.query(`set timezone = '${zone}'`);
  try {
    for (const condition of [
      `event_time::date = '2026-11-19'`,
      `event_time::date > '2026-11-18'`,
      `event_time::date < timestamptz '2026-11-19 00:30+00'`,
      `event_time::date between '2026-11-18' and '2026-11-18'`,
      `date_trunc('hour', event_time) = '2026-11-19 05:00'`,
      `date_trunc('day', event_time) = '2026-11-19'`,
      `event_time at time zone 'America/New_York' < timestamptz '2026-11-18 05:00+00'`,
      `date_trunc('day', event_time::timestamp) = '2026-11-19'`,
    ])
      expect((await asked(condition)).length).toBeGreaterThan(0);
  } finally {
    await bench.client.query('reset timezone');
  }
});

/** Readings of `t`, and between which instants they say that it lies. */
const READINGS: readonly (readonly [reading: string, first: string, last: string])[] = [
  ['t::date', 'trailhound.first_instant(r)', 'trailhound.last_instant(r)'],
  ...(['hour', 'day', 'month'] as const).map((unit) => {
    const margin = unit === 'hour' ? `interval '0'` : `trailhound.clock_margin(current_setting('TimeZone'))`;
    const hours = { hour: 1, day: 24, month: 744 }[unit];
    return [
      `date_trunc('${unit}', t)`,
      `trailhound.first_instant(r, ${margin})`,
      `trailhound.last_instant(r, ${String(hours)}, ${margin})`,
    ] as const;
  }),
  [
    't::timestamp',
    `trailhound.first_instant(r::timestamptz, trailhound.clock_margin(current_setting('TimeZone')))`,
    `trailhound.last_instant(r::timestamptz, 0, trailhound.clock_margin(current_setting('TimeZone')))`,
  ],
];

test('no instant lies outside of the range of what its clock shows, wherever one was ever set', async () => {
  const starts = ['1844-12-25', '1867-10-10', '1969-09-25', '1993-08-15', '2011-12-25', '2018-02-10', '2018-10-28'];
  const instants = [...starts, '2023-03-20', '2026-10-20'].map((start) => `(timestamptz '${start}Z')`).join(', ');
  for (const zone of ZONES) {
    await bench.client.query(`set timezone = '${zone}'`);
    for (const [reading, first, last] of READINGS) {
      const { rows } = await bench.client.query(
        `select t, r from (values ${instants}) v(start),
           generate_series(start, start + interval '360 hours', interval '110 minutes') t, lateral (select ${reading}) l(r)
         where t not between ${first} and ${last}`,
      );
      expect(rows, `${reading} in ${zone}`).toEqual([]);
    }
  }
  await bench.client.query('reset timezone');
});
