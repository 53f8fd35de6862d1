import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { EVENTS, incident } from './support/incident.ts';
import { PSQL_VERSION, psql } from './support/psql.ts';
import { scoreOf } from './support/records.ts';
import { failure, openRoad, textRows, type Road } from './support/road.ts';

let road: Road;
let client: Client;

beforeAll(async () => {
  road = await openRoad({ simulator: { world: incident() } });
  client = await road.connect();
  await client.query('set trailhound.cache = off');
  await client.query('create table host (id int primary key, ip inet, score int)');
});

afterAll(async () => {
  await road.close();
});

beforeEach(async () => {
  await client.query('truncate host');
  await client.query(`insert into host values (1, '5.188.86.10', 0), (2, '5.188.86.11', 0), (3, null, 0)`);
  road.simulator.calls.reset();
});

const A = 'abuseipdb_check_ip';
const E = 'cloudtrail_trail_event';
const calls = () => road.simulator.calls.count();
const hosts = () => textRows(client, 'select id, score from host order by id');
const score = (address: string) => String(scoreOf(address));
const SCORED = [
  ['1', score('5.188.86.10')],
  ['2', score('5.188.86.11')],
  ['3', '0'],
];
const UNCHANGED = [
  ['1', '0'],
  ['2', '0'],
  ['3', '0'],
];
const UPDATE = `update host h set score = a.abuse_confidence_score from ${A} a where a.ip_address = h.ip`;

describe('what changes rows', () => {
  test('has PostgreSQL’s command tags and gives the rows that it returns', async () => {
    const updated = await client.query({
      text: `${UPDATE} returning h.id, a.abuse_confidence_score`,
      rowMode: 'array',
    });
    expect([updated.command, updated.rowCount, updated.rows.length]).toEqual(['UPDATE', 2, 2]);
    expect(await hosts()).toEqual(SCORED);
    const merged = await client.query(
      `merge into host h using ${A} a on a.ip_address = h.ip when matched then update set score = -1`,
    );
    expect([merged.command, merged.rowCount]).toEqual(['MERGE', 2]);
    const deleted = await client.query(`delete from host using ${A} a where a.ip_address = host.ip`);
    expect([deleted.command, deleted.rowCount]).toEqual(['DELETE', 2]);
  });

  test('takes parameters, named statements too', async () => {
    const named = { name: 'score one host', text: `${UPDATE} and h.id = $1` };
    expect((await client.query({ ...named, values: [1] })).rowCount).toBe(1);
    expect((await client.query({ ...named, values: [2] })).rowCount).toBe(1);
    expect((await client.query({ ...named, values: [3] })).rowCount).toBe(0);
    expect(await hosts()).toEqual(SCORED);
  });

  test('is taken back with the statements before it where a later one of the same Query fails', async () => {
    expect(await failure(client.query(`delete from host where id = 3; ${UPDATE}; select 1/0`))).toMatchObject({
      code: '22012',
    });
    expect(await hosts()).toEqual(UNCHANGED);
    await client.query(`${UPDATE}; select 1`);
    expect(await hosts()).toEqual(SCORED);
  });

  test('is refused before anything is changed or asked where its keys come from what it returns', async () => {
    const text = `with gone as (delete from host returning ip) select a.* from gone g join ${A} a on a.ip_address = g.ip`;
    expect(await failure(client.query(text))).toMatchObject({ code: '0A000', position: String(text.indexOf(A) + 1) });
    expect([await hosts(), calls()]).toEqual([UNCHANGED, 0]);
  });

  test.each([
    `update ${A} set country_code = 'NL' from host where ip_address = ip`,
    `delete from ${A} using host where ip_address = ip`,
    `insert into ${A} (ip_address) select ip_address from ${A} where ip_address = '5.188.86.10'`,
    `merge into ${A} a using host h on a.ip_address = h.ip when matched then delete`,
    `with gone as (delete from ${A} where ip_address = '5.188.86.10') select * from ${E}`,
    `select * from host h join ${A} a on a.ip_address = h.ip for update`,
    `select * from host h join (select * from ${E}) e on true for share of e`,
  ])('PostgreSQL refuses what would change a virtual table: %s', async (text) => {
    expect(await failure(client.query(text))).toMatchObject({ code: '42501' });
    expect(calls()).toBe(0);
  });

  test('rows of other tables can be locked', async () => {
    const text = `select h.id from host h join ${A} a on a.ip_address = h.ip for update of h`;
    expect((await client.query(text)).rowCount).toBe(2);
  });

  test('nothing runs in a failed block', async () => {
    await client.query('begin');
    await failure(client.query('select 1/0'));
    for (const text of [UPDATE, `select * from ${E}`, 'execute nothing']) {
      expect(await failure(client.query(text)), text).toMatchObject({ code: '25P02' });
    }
    await client.query('rollback');
    expect(calls()).toBe(0);
  });
});

describe('what takes a query', () => {
  const KEYS = `select a.ip_address from ${A} a where a.ip_address in ('5.188.86.10', '5.188.86.11')`;

  test.each([
    [`select a.ip_address, 1 as one into temp made from ${A} a where a.ip_address = '5.188.86.10'`, 1, 'SELECT'],
    [`create temp table made as ${KEYS}`, 2, 'SELECT'],
    [
      `create temp table made (ip) as values ((select min(ip_address) from ${A} where ip_address = '5.188.86.11'))`,
      1,
      'SELECT',
    ],
    [`create temp table made as table ${E}`, EVENTS.length, 'SELECT'],
    [`create temp table if not exists made as ${KEYS} with no data`, 0, 'CREATE'],
  ])('%s', async (text, count, command) => {
    const result = await client.query(text);
    expect([result.command, result.rowCount ?? 0]).toEqual([command, count]);
    const { rows } = await client.query('table made');
    await client.query('drop table made');
    expect(rows).toHaveLength(count);
  });

  test.each(['', 'no scroll', 'scroll', 'binary', 'insensitive scroll'])('a cursor: %s', async (options) => {
    await client.query('begin');
    await client.query(`declare c ${options} cursor for select event_id from ${E} order by event_id`);
    expect((await client.query('fetch 3 from c')).rowCount).toBe(3);
    expect((await client.query('move 10 in c')).rowCount).toBe(10);
    if (options.endsWith('scroll') && options !== 'no scroll') {
      expect(await textRows(client, 'fetch absolute 1 from c')).toEqual([['event-000']]);
      expect(await textRows(client, 'fetch last from c')).toEqual([[EVENTS.at(-1)?.eventID ?? '']]);
    }
    await client.query('commit');
  });

  test('a cursor WITH HOLD outlives its transaction', async () => {
    await client.query(`declare held cursor with hold for ${KEYS} order by 1`);
    expect(await textRows(client, 'fetch all from held')).toEqual([['5.188.86.10'], ['5.188.86.11']]);
    await client.query('close held');
  });

  test.skipIf(PSQL_VERSION === undefined)('COPY of a query, and of what a statement returns', async () => {
    const script = `copy (${KEYS} order by 1) to stdout;
copy (${UPDATE} returning h.id, h.score) to stdout with (format csv);
copy (with gone as (delete from host using ${A} a where a.ip_address = host.ip returning id) select count(*) from gone) to stdout;`;
    const { stdout, stderr } = await psql(road, script, { args: ['--quiet'] });
    expect(stderr).toBe('');
    const updated = SCORED.slice(0, 2).map((row) => row.join(','));
    const [first, second, third, fourth, deleted] = stdout.trim().split('\n');
    expect([first, second, deleted]).toEqual(['5.188.86.10', '5.188.86.11', '2']);
    expect([third, fourth].sort()).toEqual(updated.sort());
  });

  test.each([
    ...[
      '',
      'verbose',
      '(costs off, settings, memory, summary, wal false)',
      '(format json)',
      '(format yaml)',
      '(format xml)',
      '(serialize none, analyze off)',
    ].flatMap((options) =>
      [
        UPDATE,
        `insert into host (id, ip) select 9, ip_address from ${A} where ip_address = '5.188.86.12'`,
        `merge into host h using ${A} a on a.ip_address = h.ip when matched then delete`,
        `create table never as ${KEYS}`,
        `declare c cursor for ${KEYS}`,
        `delete from host using ${A}`,
      ].map((text) => `explain ${options} ${text}`),
    ),
    `explain (generic_plan) select * from ${A} where ip_address = $1`,
  ])('%s', async (text) => {
    const { rows } = await client.query({ text, rowMode: 'array' });
    expect(rows.length).toBeGreaterThan(0);
    expect([await hosts(), calls()]).toEqual([UNCHANGED, 0]);
  });

  test('EXPLAIN ANALYZE changes rows', async () => {
    const lines = (await textRows(client, `explain (analyze, buffers, wal, timing off) ${UPDATE}`)).flat();
    expect(lines[0]).toMatch(/^Update on (public\.)?host h /);
    expect(lines.some((line) => line.includes('Fetched: rows=2 '))).toBe(true);
    expect(await hosts()).toEqual(SCORED);
  });
});

describe('EXECUTE', () => {
  beforeEach(async () => {
    await client.query('deallocate all');
    road.simulator.calls.reset();
  });

  const Q = `prepare q (inet, int) as select a.ip_address, abuse_confidence_score, $2 as n from ${A} a join host h on h.ip = a.ip_address where a.ip_address = $1`;

  test('runs what was prepared, with PostgreSQL’s tag and description', async () => {
    await client.query(Q);
    expect(calls()).toBe(0);
    const executed = await client.query({ text: `execute q('5.188.86.10', 1 + 1)`, rowMode: 'array' });
    const direct = await client.query({
      text: `select a.ip_address, abuse_confidence_score, 2 as n from ${A} a join host h on h.ip = a.ip_address where a.ip_address = '5.188.86.10'`,
      rowMode: 'array',
    });
    expect([executed.command, executed.rowCount, executed.rows]).toEqual(['SELECT', 1, direct.rows]);
    expect(executed.fields).toEqual(direct.fields);
    // Nothing is kept: each has asked.
    expect(calls()).toBe(2);
  });

  test('runs what Parse has prepared', async () => {
    const text = `select abuse_confidence_score from ${A} where ip_address = $1`;
    await client.query({ name: 'by address', text, values: ['5.188.86.10'] });
    expect(await textRows(client, `execute "by address"('5.188.86.11')`)).toEqual([[score('5.188.86.11')]]);
  });

  test('comes by Parse and Bind too, and in the middle of a Query', async () => {
    await client.query(Q);
    expect(await textRows(client, `execute q('5.188.86.10', 7)`, [])).toEqual([
      ['5.188.86.10', score('5.188.86.10'), '7'],
    ]);
    await client.query(`prepare u as ${UPDATE}`);
    expect(await failure(client.query('delete from host where id = 3; execute u; select 1/0'))).toMatchObject({
      code: '22012',
    });
    expect(await hosts()).toEqual(UNCHANGED);
    await client.query('begin; execute u; commit');
    expect(await hosts()).toEqual(SCORED);
  });

  test('says where an argument is wrong, as it does for any other statement', async () => {
    await client.query(Q);
    await client.query('prepare ordinary (inet, int) as select $1, $2 from host');
    for (const args of [
      `('x', 1)`,
      `('1.1.1.1', 'é'::text)`,
      `('1.1.1.1')`,
      '',
      `('1.1.1.1', nope)`,
      `('1.1.1.1', 1/0)`,
    ]) {
      const [own, theirs] = [`/* é */ execute q${args}`, `/* é */ execute ordinary${args}`];
      const expected = await failure(client.query(theirs));
      const found = await failure(client.query(own));
      const shift =
        expected.position === undefined ? undefined : String(Number(expected.position) - 'ordinary'.length + 1);
      expect(found, args).toEqual({
        ...expected,
        message: expected.message.replace('"ordinary"', '"q"'),
        position: shift,
      });
    }
    expect(calls()).toBe(0);
    expect((await client.query('select name from pg_prepared_statements order by name')).rows).toEqual([
      { name: 'ordinary' },
      { name: 'q' },
    ]);
  });

  test('refuses what nothing bounds, without a position in a text that was not sent', async () => {
    await client.query(`prepare all_of_it as select * from ${A}`);
    expect(await failure(client.query('execute all_of_it'))).toMatchObject({ code: 'HV002', position: undefined });
  });

  test('means what its names meant to PostgreSQL', async () => {
    const shadowed = await road.connect();
    await shadowed.query('create table if not exists ordinary (ip_address inet)');
    const texts = ['ip_address', 'host(ip_address)', 'count(*)'];
    for (const [index, value] of texts.entries()) {
      await shadowed.query(`prepare o${index} as select ${value} from ordinary where ip_address = '5.188.86.10'`);
      await shadowed.query(`prepare v${index} as select ${value} from ${A} where ip_address = '5.188.86.10'`);
    }
    const shadow = (name: string) =>
      shadowed.query(`create temp table ${name} as
        select ip_address from generate_series(1, 3), (select inet '5.188.86.10' ip_address) x`);
    await shadow('ordinary');
    await shadow(A);
    road.simulator.calls.reset();
    for (const index of texts.keys()) {
      const expected = await textRows(shadowed, `execute o${index}`);
      expect(await textRows(shadowed, `execute v${index}`)).toEqual(expected);
    }
    expect(calls()).toBe(0);
  });
});
