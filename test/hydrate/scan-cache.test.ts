import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunningHydrator } from '../../src/hydrate/create-hydrator.ts';
import { createHydrator } from '../../src/hydrate/create-hydrator.ts';
import type { HydratedRows } from '../../src/hydrate/hydrator.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { storedSql } from '../../src/query/hydrated-sql.ts';
import { ParameterList } from '../../src/query/parameters.ts';
import type { Operator } from '../../src/catalog/table.ts';
import type { Predicate, ScanRequest } from '../../src/sources/source.ts';
import { DelayedLog } from './support/delayed-log.ts';
import type { TestEngine } from './support/engine.ts';
import { openTestEngine } from './support/engine.ts';
import { ManualClock } from './support/manual-clock.ts';
import { statement, type TestStatement } from './support/statement.ts';
import { column, columnsOf, table } from './support/tables.ts';

const MINUTE = 60_000;
const log = createLogger('silent');
const calls = table(
  'scan',
  [
    column('n', 'bigint', 'n'),
    column('name', 'text', 'name', { operators: ['='] }),
    column('at', 'timestamp with time zone', 'at', { operators: ['<', '<=', '>', '>='] }),
    column('filter', 'text', '@filter', { key: 'input', operators: ['='] }),
    column('twice', 'bigint', 'twice'),
    column('event', 'jsonb', '@record'),
  ],
  5 * MINUTE,
);

let host: TestEngine;
let clock: ManualClock;
let source: DelayedLog;
let hydrator: RunningHydrator;

beforeAll(async () => {
  host = await openTestEngine();
});
afterAll(() => host.close());
beforeEach(() => {
  clock = new ManualClock();
  source = new DelayedLog(clock);
  hydrator = createHydrator({ pool: host.engine.pool, sources: new Map([['fake_scan', source]]), log, clock });
});
afterEach(async () => {
  await hydrator.close();
  expect(clock.timers).toBe(0);
  expect(await host.engine.pool.query('select from trailhound.kept_scan')).toMatchObject({ rowCount: 0 });
  const left = `select from pg_class where relnamespace = 'trailhound_rows'::regnamespace and relkind = 'r'`;
  expect(await host.engine.pool.query(left)).toMatchObject({ rowCount: 0 });
});

function where(name: string, operator: Operator, ...values: readonly (string | number)[]): Predicate {
  const [own] = columnsOf(calls, name);
  if (own === undefined) throw new Error(`no column ${name}`);
  return { column: own, operator, values: values.map(String) };
}

function request(predicates: readonly Predicate[], ...more: readonly string[]): ScanRequest {
  return { table: calls, columns: columnsOf(calls, 'n', 'name', 'at', ...more), predicates };
}

/** What the statement sees of them, which keeps its own conditions. */
async function rowsOf(rows: HydratedRows, predicates: readonly Predicate[]): Promise<readonly number[]> {
  const parameters = new ParameterList([], []);
  const own = predicates.map(({ column: { name }, operator, values }) =>
    name === 'at'
      ? `at ${operator} to_timestamp(${values[0] ?? ''}::numeric / 1000)`
      : `${name} = any ('{${values.join(',')}}')`,
  );
  const text = `select n from (${storedSql(rows, parameters)}) as _ where ${['true', ...own].join(' and ')} order by n`;
  const answer = await host.engine.pool.query<{ n: string }>(
    text,
    parameters.values.map(({ value }) => value),
  );
  return answer.rows.map(({ n }) => Number(n));
}

async function ask(
  predicates: readonly Predicate[],
  own: TestStatement = statement(),
  ...columns: readonly string[]
): Promise<readonly number[]> {
  const rows = await hydrator.scan(request(predicates, ...columns), own);
  try {
    return await rowsOf(rows, predicates);
  } finally {
    await rows.release();
  }
}

/** So many minutes ago: one event a minute. */
function ago(minutes: number): number {
  return clock.now() - minutes * MINUTE;
}

describe('a range that has passed', () => {
  test('is read once, also for what lies within it and for more conditions', async () => {
    source.happen(120);
    const range = (from: number, to: number): Predicate[] => [where('at', '>=', ago(from)), where('at', '<', ago(to))];
    const all = await ask(range(90, 30));
    expect(all).toHaveLength(60);
    expect(await ask(range(90, 30))).toEqual(all);
    expect(await ask(range(80, 40))).toEqual(all.slice(10, 50));
    expect(await ask([...range(80, 40), where('name', '=', 'even')])).toHaveLength(20);
    expect(source.ranges).toHaveLength(1);
  });

  test('is read again where it reaches further, says less, or needs another column', async () => {
    source.happen(120);
    const range = (from: number): Predicate[] => [where('at', '>=', ago(from)), where('at', '<', ago(30))];
    await ask([...range(60), where('name', '=', 'even', 'odd')]);
    await ask([...range(60), where('name', '=', 'odd')]);
    expect(source.ranges).toHaveLength(1);
    await ask([...range(61), where('name', '=', 'odd')]);
    await ask(range(60));
    await ask(range(60), statement(), 'filter');
    expect(source.ranges).toHaveLength(4);
  });

  test('is read again for another role, with trailhound.cache off, and when it is too old for the statement', async () => {
    source.happen(120);
    const range = [where('at', '>=', ago(90)), where('at', '<', ago(30))];
    await ask(range);
    await ask(range, { ...statement(), role: 'pg_monitor' });
    await ask(range, statement({ cache: false }));
    await clock.advance(2_000);
    await ask(range, statement({ cacheMaxAgeMs: 1_000 }));
    expect(source.ranges).toHaveLength(4);
    await ask(range, statement({ sources: 'cache' }));
    expect(source.ranges).toHaveLength(4);
  });

  test('lives longer than the newest rows do, but not for ever', async () => {
    source.happen(120);
    const range = [where('at', '>=', ago(90)), where('at', '<', ago(30))];
    await ask(range);
    await clock.advance(50 * MINUTE);
    await ask(range);
    expect(source.ranges).toHaveLength(1);
    await clock.advance(11 * MINUTE);
    await ask(range);
    expect(source.ranges).toHaveLength(2);
  });

  test('is not taken for what an input asks', async () => {
    source.happen(60);
    const range = [where('at', '>=', ago(50)), where('at', '<', ago(30))];
    await ask(range, statement(), 'filter');
    await ask([...range, where('filter', '=', 'x')], statement(), 'filter');
    expect(source.ranges).toHaveLength(2);
  });
});

test('places that nothing is read of unless they are named are not in what was read without their name', async () => {
  source.places = 'name';
  source.happen(4);
  const range = [where('at', '>=', ago(60)), where('at', '<=', ago(-60))];
  await ask(range);
  await ask([...range, where('name', '=', 'even')]);
  expect(source.ranges).toHaveLength(2);
  await ask([...range, where('name', '=', 'even', 'odd')]);
  await ask([...range, where('name', '=', 'odd')]);
  await ask(range);
  expect(source.ranges).toHaveLength(3);
});

describe('a window that slides', () => {
  test('is extended by its newest rows, from where they had all come', async () => {
    source.happen(120);
    const window = (): Predicate[] => [where('at', '>=', ago(60))];
    expect(await ask(window())).toHaveLength(61);
    for (let refresh = 0; refresh < 20; refresh += 1) {
      await clock.advance(MINUTE);
      source.happen(1);
      expect(await ask(window())).toEqual(source.between(ago(60), clock.now()));
    }
    const [first, ...tails] = source.ranges;
    expect(first?.from).toBe(ago(80));
    const minutes = tails.map(({ from, at }) => (at - from) / MINUTE);
    expect(minutes[0]).toBe(16);
    expect(Math.max(...minutes)).toBeLessThan(25);
    expect(source.wholes.slice(1)).toEqual(source.ranges.slice(1).map(({ at }) => at - 60 * MINUTE));
  });

  test('has what came late, as long as that was in time', async () => {
    source.happen(60);
    const window = [where('at', '>=', ago(60))];
    await ask(window);
    await clock.advance(1);
    source.happenedAt(ago(10));
    source.happenedAt(ago(14));
    expect(await ask(window)).toHaveLength(62);
    expect(source.ranges).toHaveLength(2);
  });

  test('is read no further back for a few rows than for all', async () => {
    source.happen(120);
    const window = [where('at', '>=', ago(60))];
    await ask(window);
    await clock.advance(1);
    const [at] = columnsOf(calls, 'at');
    if (at === undefined) throw new Error('no column at');
    const order = { column: at, direction: 'desc', nulls: 'last' } as const;
    const newest = await hydrator.scan({ ...request(window), order }, statement(), () => Promise.resolve(false));
    expect(await rowsOf(newest, window)).toHaveLength(61);
    await clock.advance(1);
    const some = await hydrator.scan({ ...request(window), limit: 3 }, statement());
    // Of the kept rows and the three of its tail the statement takes any.
    expect((await rowsOf(some, window)).length).toBeGreaterThan(3);
    await newest.release();
    await some.release();
    expect(source.ranges.map(({ from }) => Math.round((clock.now() - from) / MINUTE))).toEqual([60, 15, 15]);
  });

  test('is read once for those who want all of it and for who wants its newest rows', async () => {
    source.happen(120);
    const window = [where('at', '>=', ago(60))];
    await ask(window);
    await clock.advance(1);
    source.hold();
    const all = ask(window);
    await source.waiting(1);
    const [at] = columnsOf(calls, 'at');
    if (at === undefined) throw new Error('no column at');
    const order = { column: at, direction: 'desc', nulls: 'last' } as const;
    const newest = hydrator.scan({ ...request(window), order }, statement(), () => Promise.resolve(true));
    await new Promise((resolve) => setImmediate(resolve));
    source.letGo();
    expect(await all).toHaveLength(61);
    expect(await rowsOf(await newest, window)).toHaveLength(61);
    await (await newest).release();
    expect(source.ranges).toHaveLength(2);
  });

  test('keeps the columns of all who ask for it, whoever extends it', async () => {
    source.happen(120);
    const window = (): Predicate[] => [where('at', '>=', ago(60))];
    await ask(window(), statement(), 'twice');
    for (const columns of [[], ['twice'], [], ['twice']]) {
      await clock.advance(MINUTE);
      source.happen(1);
      expect(await ask(window(), statement(), ...columns)).toEqual(source.between(ago(60), clock.now()));
    }
    const [, ...tails] = source.ranges.map(({ from, at }) => (at - from) / MINUTE);
    expect(tails).toHaveLength(4);
    expect(Math.max(...tails)).toBeLessThan(25);
  });
});

describe('a dashboard', () => {
  const panels = (from: number): readonly (readonly [readonly Predicate[], ...(readonly string[])])[] => [
    [[where('at', '>=', from)]],
    [[where('at', '>=', from)], 'twice'],
    [[where('at', '>=', from)], 'filter'],
    [[where('at', '>=', from), where('name', '=', 'odd')]],
    [[where('at', '>=', from), where('name', '=', 'even', 'odd')], 'event'],
  ];

  test('reads each refresh once for all of its panels, whatever their columns and further conditions', async () => {
    source.happen(120);
    for (let refresh = 0; refresh < 4; refresh += 1) {
      source.hold();
      const own = panels(ago(60));
      const begin = ([predicates, ...columns]: (typeof own)[number]) => ask(predicates, statement(), ...columns);
      const wide = own.slice(0, 3).map(begin);
      await source.waiting(1);
      const narrow = own.slice(3).map(begin);
      await new Promise((resolve) => setImmediate(resolve));
      source.letGo();
      const rows = await Promise.all([...wide, ...narrow]);
      expect(rows).toEqual(own.map(([predicates]) => source.answers(predicates)));
      expect(source.ranges).toHaveLength(refresh + 1);
      await clock.advance(MINUTE);
      source.happen(1);
    }
    expect(source.ranges.map(({ from, at }) => Math.round((at - from) / MINUTE))).toEqual([60, 16, 17, 18]);
  });

  test('that asks one panel after the other, reads what is missing for all of them', async () => {
    source.happen(120);
    const range = (): Predicate[] => [where('at', '>=', ago(60)), where('at', '<', ago(30))];
    await ask(range());
    await ask(range(), statement(), 'twice');
    await ask(range(), statement(), 'event');
    expect(source.ranges).toHaveLength(3);
    for (const columns of [[], ['twice'], ['event'], ['twice', 'event']]) await ask(range(), statement(), ...columns);
    expect(source.ranges).toHaveLength(3);
    // JSON is not read for nobody.
    await ask([where('at', '>=', ago(61)), where('at', '<', ago(30))]);
    await ask([where('at', '>=', ago(61)), where('at', '<', ago(30))], statement(), 'filter');
    const rows = await hydrator.scan(request(range()), statement());
    expect(rows.columns.map(({ name }) => name)).not.toContain('event');
    await rows.release();
  });

  test('fails in the panel alone whose column cannot be read', async () => {
    source.happen(120);
    source.broken = 100;
    source.hold();
    const fine = [ask([where('at', '>=', ago(60))]), ask([where('at', '>=', ago(60))], statement(), 'filter')];
    await source.waiting(1);
    const failing = ask([where('at', '>=', ago(60))], statement(), 'twice').catch((error: unknown) => String(error));
    await new Promise((resolve) => setImmediate(resolve));
    source.letGo();
    expect((await Promise.all(fine)).map(({ length }) => length)).toEqual([61, 61]);
    expect(await failing).toMatch(/twice/);
    expect(await ask([where('at', '>=', ago(60))])).toHaveLength(61);
  });
});

describe('scans under way', () => {
  test('are shared by who asks for the same or for some of it', async () => {
    source.happen(120);
    source.hold();
    const wide = ask([where('at', '>=', ago(60))]);
    const narrow = ask([where('at', '>=', ago(50)), where('name', '=', 'odd')]);
    const other = ask([where('at', '>=', ago(70))]);
    await source.waiting(2);
    source.letGo();
    expect((await wide).length).toBe(61);
    expect(await narrow).toEqual(source.answers([where('at', '>=', ago(50)), where('name', '=', 'odd')]));
    expect((await other).length).toBe(71);
    expect(source.ranges).toHaveLength(2);
  });

  test('hold nobody up who wants a few rows of them', async () => {
    source.happen(120);
    source.hold();
    const all = ask([where('at', '>=', ago(60))]);
    await source.waiting(1);
    const few = hydrator.scan({ ...request([where('at', '>=', ago(60))]), limit: 3 }, statement());
    await source.waiting(2);
    source.letGo();
    await (await few).release();
    expect(await all).toHaveLength(61);
  });

  test('are not waited for by who wants little of them', async () => {
    source.happen(120);
    source.hold();
    const wide = ask([where('at', '>=', ago(100))]);
    const narrow = ask([where('at', '>=', ago(5))]);
    await source.waiting(2);
    source.letGo();
    expect(await wide).toHaveLength(101);
    expect(await narrow).toHaveLength(6);
  });

  test('leave one of those who waited to ask, where they are cancelled', async () => {
    source.happen(120);
    source.hold();
    const cancelled = statement();
    const first = ask([where('at', '>=', ago(60))], cancelled).catch((error: unknown) => String(error));
    const second = ask([where('at', '>=', ago(60))]);
    const third = ask([where('at', '>=', ago(60))]);
    await source.waiting(1);
    cancelled.cancel();
    expect(await first).toMatch(/canceling/);
    await source.waiting(1);
    source.letGo();
    expect(await second).toHaveLength(61);
    expect(await third).toHaveLength(61);
    expect(source.ranges).toHaveLength(2);
  });
});

describe('what is kept', () => {
  test('stands in relations where there are many, which stay while somebody reads them', async () => {
    source.happen(3_000);
    const range = [where('at', '>=', ago(2_900)), where('at', '<', ago(100))];
    const first = await hydrator.scan(request(range), statement());
    const second = await hydrator.scan(request(range), statement());
    expect([first.kind, second.kind]).toEqual(['relation', 'relation']);
    expect(source.ranges).toHaveLength(1);
    await first.release();
    await host.engine.pool.query(`select trailhound.cache_clear('cloudtrail_trail_event')`);
    expect(await rowsOf(second, range)).toHaveLength(2_800);
    await second.release();
  });

  test('is known to the planner by its times', async () => {
    source.happen(3_000);
    await ask([where('at', '>=', ago(2_900))]);
    await clock.advance(1);
    const rows = await hydrator.scan(request([where('at', '>=', ago(2_000))]), statement());
    expect(rows.kind).toBe('parts');
    const parameters = new ParameterList([], []);
    const from = new Date(ago(2_000)).toISOString();
    const text = `explain (format json) select from (${storedSql(rows, parameters)}) as _ where at >= '${from}'`;
    const answer = await host.engine.pool.query<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>(
      text,
      parameters.values.map(({ value }) => value),
    );
    expect(answer.rows[0]?.['QUERY PLAN'][0].Plan['Plan Rows']).toBeGreaterThan(1_000);
    await rows.release();
  });

  test('is gone after trailhound.cache_clear and after a crash of the engine', async () => {
    source.happen(3_000);
    const range = [where('at', '>=', ago(2_900)), where('at', '<', ago(100))];
    await ask(range);
    await host.engine.pool.query('select trailhound.cache_clear()');
    expect(await ask(range)).toHaveLength(2_800);
    expect(source.ranges).toHaveLength(2);
    // As a crash leaves unlogged relations.
    const { rows } = await host.engine.pool.query<{ name: string }>(
      `select oid::regclass::text as name from pg_class
        where relkind = 'r' and relnamespace in ('trailhound_rows'::regnamespace, 'trailhound'::regnamespace)
          and relpersistence = 'u'`,
    );
    for (const { name } of rows) await host.engine.pool.query(`truncate ${name}`);
    expect(await ask(range)).toHaveLength(2_800);
    expect(source.ranges).toHaveLength(3);
  });

  test('takes no space for long after trailhound.cache_clear, though nobody asks for it', async () => {
    const { pool } = host.engine;
    source.happen(3_000);
    await ask([where('at', '>=', ago(2_900))]);
    await pool.query('select trailhound.cache_clear()');
    await clock.advance(MINUTE);
    const left = `select from pg_class where relnamespace = 'trailhound_rows'::regnamespace and relkind = 'r'`;
    await vi.waitFor(async () => expect(await pool.query(left)).toMatchObject({ rowCount: 0 }));
  });

  test('does not keep its role from being dropped', async () => {
    const { pool } = host.engine;
    source.happen(3_000);
    await pool.query('create role hunter');
    await ask([where('at', '>=', ago(2_900))], { ...statement(), role: 'hunter' });
    // What src/session/kept-rows-hint.ts knows it by.
    await expect(pool.query('drop role hunter')).rejects.toMatchObject({
      code: '2BP01',
      detail: expect.stringContaining('trailhound_rows.') as string,
    });
    await pool.query(`select trailhound.forget_rows_of('hunter'); drop role hunter`);
    expect(await pool.query('select from trailhound.kept_scan')).toMatchObject({ rowCount: 0 });
  });

  test('goes by what was used last, when it is too much', async () => {
    await hydrator.close();
    const sources = new Map([['fake_scan', source]]);
    hydrator = createHydrator({ pool: host.engine.pool, sources, log, clock, cacheMaxBytes: 600_000 });
    source.happen(4_000);
    const range = (from: number): Predicate[] => [where('at', '>=', ago(from)), where('at', '<', ago(100))];
    await ask([...range(3_900), where('name', '=', 'odd')]);
    await ask([...range(3_901), where('name', '=', 'odd', 'even')]);
    await ask([...range(3_902), where('name', '=', 'odd', 'even', 'none')]);
    const { rows } = await host.engine.pool.query<{ bytes: number }>(
      'select sum(bytes)::float8 as bytes from trailhound.kept_scan',
    );
    expect(rows[0]?.bytes).toBeLessThanOrEqual(600_000);
    expect(source.ranges).toHaveLength(3);
    await ask([...range(3_902), where('name', '=', 'even')]);
    expect(source.ranges).toHaveLength(3);
  });

  test('is not what a statement left unread or lost parts of', async () => {
    source.happen(60);
    const window = [where('at', '>=', ago(50)), where('at', '<', ago(30))];
    await ask(window, statement({ partial: true }));
    await (await hydrator.scan({ ...request(window), limit: 3 }, statement())).release();
    await ask(window);
    expect(source.ranges).toHaveLength(3);
  });

  test('is all that trailhound.sources = cache has, which says when it was read', async () => {
    source.happen(120);
    const window = [where('at', '>=', ago(60))];
    await ask(window);
    await clock.advance(2 * MINUTE);
    source.happen(1);
    const kept = statement({ sources: 'cache' });
    expect(await ask([where('at', '>=', ago(50))], kept)).toHaveLength(49);
    expect(kept.notices).toEqual([expect.stringMatching(/^NOTICE: fake_event is as it was read at 2026-11-21T00:/)]);
    expect(source.ranges).toHaveLength(1);
  });

  test('repeats what was said of it', async () => {
    source.happen(60);
    source.says = [
      ['WARNING', 'two events could not be read'],
      ['NOTICE', 'no log group is in us-west-9'],
    ];
    const said = ['WARNING: two events could not be read', 'NOTICE: no log group is in us-west-9'];
    const window = [where('at', '>=', ago(50)), where('at', '<', ago(30))];
    for (const predicates of [window, window, [where('at', '>=', ago(50))], [where('at', '>=', ago(50))]]) {
      await clock.advance(1);
      const own = statement();
      await ask(predicates, own);
      expect(own.notices).toEqual(said);
    }
    expect(source.ranges).toHaveLength(3);
  });
});

test('whatever is asked in whatever order, the rows are those that a reading would give', async () => {
  const step = fc.record({
    wait: fc.constantFrom(0, 0, 1, 3, 7, 20, 61),
    from: fc.integer({ min: 0, max: 90 }),
    length: fc.option(fc.integer({ min: -2, max: 60 })),
    strict: fc.boolean(),
    name: fc.constantFrom([], ['even'], ['odd'], ['even', 'odd']),
    bounded: fc.constantFrom(true, true, true, false),
    maxAge: fc.constantFrom(undefined, undefined, 2 * MINUTE),
    filter: fc.boolean(),
    many: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 12 }), async (steps) => {
      for (const { wait, from, length, strict, name, bounded, maxAge, filter, many } of steps) {
        await clock.advance(wait * MINUTE + 1);
        source.happen(Math.max(1, wait));
        const predicates = [
          ...(bounded ? [where('at', strict ? '>' : '>=', ago(from))] : []),
          ...(length === null ? [] : [where('at', strict ? '<' : '<=', ago(from - length))]),
          ...(name.length > 0 ? [where('name', '=', ...name)] : []),
        ];
        const own = statement({ cacheMaxAgeMs: maxAge });
        const asked = await ask(predicates, many ? { ...own, relationOnly: true } : own, ...(filter ? ['filter'] : []));
        expect(asked).toEqual(source.answers(predicates));
      }
    }),
    { numRuns: 25 },
  );
  expect(source.ranges.length).toBeGreaterThan(10);
});
