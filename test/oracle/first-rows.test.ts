import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openOracle, type Mode } from './bench.ts';
import type { Pushdown } from './memory-sources.ts';

let bench: Awaited<ReturnType<typeof openOracle>>;
beforeAll(async () => {
  bench = await openOracle();
});
afterAll(async () => {
  await bench.close();
});

const E = 'cloudtrail_trail_event';
const EVERY_COLUMN = 'event_time, event_name, event_id, source_ip';

const CONDITIONS = [
  'true',
  'event_time is not null',
  `event_time > '2026-11-19 18:00'`,
  `event_time <= '2026-11-19 22:00'`,
  `event_name <> 'CreateUser'`,
  'error_code is null',
  'length(event_name) > 9',
  `coalesce(username, 'user0') = 'user0'`,
  'source_ip is not null or read_only',
] as const;

/** What a level is made of, its condition in the place of `$`; rows of the look-up stand beside each event, or NULLs. */
const FROM = [
  `${E} e where $`,
  `(select * from ${E}) e where $`,
  `(select * from ${E} where $) e`,
  `(${E} e left join abuseipdb_check_ip a on a.ip_address = e.source_ip) where $`,
  `${E} e left join lateral (select * from abuseipdb_check_ip where ip_address = e.source_ip) a on a.is_tor where $`,
  `guardduty_finding f right join ${E} e on f.remote_ip = e.source_ip where $`,
  `${E} e join guardduty_finding f on f.remote_ip = e.source_ip where $`,
] as const;

const statements = fc
  .record({
    from: fc.constantFrom(...FROM),
    condition: fc.array(fc.constantFrom(...CONDITIONS), { minLength: 1, maxLength: 2 }),
    direction: fc.constantFrom('', ' desc'),
    nulls: fc.constantFrom('', ' nulls first', ' nulls last'),
    then: fc.constantFrom('event_name, event_id', 'event_id desc', 'source_ip desc, event_id'),
    cut: fc.oneof(
      fc
        .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 3 }))
        .map(([n, m]) => `limit ${n} offset ${m}`),
      fc.integer({ min: 1, max: 9 }).map((n) => `fetch first ${n} rows with ties`),
    ),
    around: fc.constantFrom(
      '$',
      `select * from ($) x order by 1, 2, 3, 4`,
      `with x as ($) select count(*), max(event_id) from x`,
    ),
  })
  .map(({ from, condition, direction, nulls, then, cut, around }) => {
    const own = from.includes('e.') ? 'e.' : '';
    const order = [`event_time${direction}${nulls}`, then].join(', ');
    // Names of output columns, which are those of the events.
    const columns = EVERY_COLUMN.replaceAll(/\w+_\w+/g, (name) => own + name);
    const text = `select ${columns} from ${from.replace('$', () => condition.join(' and '))} order by ${order}, 1, 2, 3, 4 ${cut}`;
    return around.replace('$', () => text);
  });

test(
  'the first rows of an order are those of plain tables, whatever the source does itself',
  { timeout: 600_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(statements, fc.constantFrom<Pushdown>('exact', 'inexact', 'none'), async (text, pushdown) => {
        const mode: Mode = {
          name: pushdown,
          pushdown,
          settings: { statement_timeout: '60s' },
          warm: false,
          road: 'pipeline',
        };
        const { rows } = await bench.oracle({ text, values: [] });
        expect((await bench.ask({ text, values: [] }, mode)).rows).toEqual(rows);
      }),
      { numRuns: 200, seed: 12 },
    );
  },
);
