import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { openEngine } from '../../src/engine/open.ts';
import { withPoolClient, type PoolClient } from '../../src/engine/pool.ts';
import { setUpSchema } from '../../src/engine/schema.ts';
import { removeTemporaryDirectories, temporaryDirectory } from './support/temporary-directory.ts';

let engine: Engine;

beforeAll(async () => {
  engine = await openEngine({
    dataDir: await temporaryDirectory(),
    database: 'trailhound',
    maxClients: 5,
    poolSize: 2,
  });
  await setUpSchema(engine, { password: 'x' });
  await engine.pool.query(`
    create table public.event as
      select case n % 3 when 0 then 'service' || n || '.amazonaws.com' else '10.1.' || n % 250 || '.' || n / 250 % 250 end as source,
             n from generate_series(1, 20000) n;
    create table public.host as select ('10.1.' || n / 250 || '.' || n % 250)::inet as ip from generate_series(1, 20000) n;
    create index host_ip on public.host (ip);
    analyze public.event; analyze public.host`);
});
afterAll(async () => {
  await engine.close();
  await removeTemporaryDirectories();
});

async function value(sql: string, parameters: unknown[] = []): Promise<unknown> {
  const { rows } = await engine.pool.query<Record<string, unknown>>(sql, parameters);
  return Object.values(rows[0] ?? {})[0];
}

async function plan(client: PoolClient | Engine['pool'], sql: string): Promise<string> {
  const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain (verbose, costs off) ${sql}`);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

describe('try_inet', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['075.050.255.67', '75.50.255.67'],
    ['2001:DB8::1', '2001:db8::1'],
    ['::ffff:1.2.3.4', '::ffff:1.2.3.4'],
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['cloudformation.amazonaws.com', null],
    ['AWS Internal', null],
    ['', null],
    ['1.2.3.4.5', null],
    [null, null],
  ])('reads %j as %j', async (text, address) => {
    // A parameter, then a constant, which PostgreSQL evaluates while it plans.
    expect(await value('select try_inet($1::text)::text', [text])).toBe(address === null ? null : toText(address));
    const constant = text === null ? 'null' : `'${text}'`;
    expect(await value(`select try_inet(${constant})::text`)).toBe(address === null ? null : toText(address));
  });

  it('is inlined where it stands for every row', async () => {
    expect(await plan(engine.pool, 'select try_inet(source) from public.event')).not.toContain('try_inet');
  });

  it('may be used in an index and in a generated column', async () => {
    await engine.pool.query('create index event_address on public.event (try_inet(source))');
    const text = await plan(engine.pool, `select n from public.event where try_inet(source) = '10.1.7.0'`);
    expect(text).toContain('event_address');
    await engine.pool.query('drop index public.event_address');
  });
});

function toText(address: string): string {
  if (address.includes('/')) return address;
  return `${address}/${address.includes(':') ? 128 : 32}`;
}

describe('inet compared with text', () => {
  const JOIN = 'select count(*) from public.host h join public.event e on h.ip = e.source';

  it('finds the rows that a comparison of addresses finds, in both orders', async () => {
    const expected = await value(
      `select count(*) from public.host h join (
         select source::inet as ip from public.event where source not like '%.com') e on h.ip operator(pg_catalog.=) e.ip`,
    );
    expect(Number(expected)).toBeGreaterThan(0);
    expect(await value(JOIN)).toBe(expected);
    expect(await value('select count(*) from public.event e join public.host h on e.source = h.ip')).toBe(expected);
  });

  it('can be joined by hash', async () => {
    await withPoolClient(engine.pool, async (client) => {
      await client.query('begin; set local enable_mergejoin = off; set local enable_nestloop = off');
      expect(await plan(client, JOIN)).toMatch(
        /Hash Cond: \(\(?h\.ip\)? = .*e\.source|Hash Cond: .*e\.source.* = h\.ip/s,
      );
      await client.query('rollback');
    });
  });

  it('can be looked up in an index on the address', async () => {
    const text = await plan(
      engine.pool,
      `select h.ip from (values ('10.1.2.3'::text)) v(source) join public.host h on h.ip = v.source`,
    );
    expect(text).toContain('Index Cond: (h.ip = ');
    const lateral = await plan(
      engine.pool,
      `select h.ip from public.event e, public.host h where h.ip = e.source and e.n = 7`,
    );
    expect(lateral).toContain('Index Cond: (h.ip = ');
  });

  it('leaves unknown literals and parameters to inet', async () => {
    expect(await plan(engine.pool, `select from public.host where ip = '10.1.2.3'`)).toContain(`'10.1.2.3'::inet`);
    await expect(engine.pool.query(`select from public.host where ip = 'AWS Internal'`)).rejects.toMatchObject({
      code: '22P02',
    });
    await withPoolClient(engine.pool, async (client) => {
      await client.query('prepare by_address as select count(*) from public.host where ip = $1');
      const { rows } = await client.query<{ types: string }>(
        `select parameter_types::text as types from pg_prepared_statements where name = 'by_address'`,
      );
      expect(rows).toEqual([{ types: '{inet}' }]);
      await client.query('deallocate by_address');
    });
  });

  it.each(['', 'pg_catalog, public', 'public, pg_catalog', 'hostile, pg_catalog', '"$user", public'])(
    'means the same under the search_path %j',
    async (path) => {
      await withPoolClient(engine.pool, async (client) => {
        await client.query('begin');
        await client.query(`create schema hostile;
          create function hostile.try_inet(text) returns inet language sql as $$select '9.9.9.9'::inet$$;
          create function hostile.pg_input_is_valid(text, text) returns boolean language sql as $$select true$$;
          create domain hostile.inet as int4`);
        await client.query(`set local search_path = ${path === '' ? "''" : path}`);
        const { rows } = await client.query(
          `select '10.1.2.3'::pg_catalog.inet = '10.1.2.3'::text as eq, 'x.amazonaws.com'::text = '10.1.2.3'::pg_catalog.inet as no,
                  '10.1.2.3'::pg_catalog.inet <> '10.1.2.4'::text as ne, '10.1.2.3'::varchar <> '10.1.2.3'::pg_catalog.inet as same`,
        );
        expect(rows).toEqual([{ eq: true, no: null, ne: true, same: false }]);
        await client.query('rollback');
      });
    },
  );

  it('works in IN, = ANY, NOT and a prepared statement that turns generic', async () => {
    expect(
      await value(`select count(*) from public.host where ip in (select source from public.event where n = 1)`),
    ).toBe('1');
    expect(await value(`select count(*) from public.host where ip = any (array['10.1.0.1', 'nonsense']::text[])`)).toBe(
      '1',
    );
    expect(await value(`select not ('10.1.2.3'::inet = '10.1.2.4'::text)`)).toBe(true);
    await withPoolClient(engine.pool, async (client) => {
      await client.query('prepare generic(text) as select count(*)::int as n from public.host where ip = $1');
      for (let run = 0; run < 8; run += 1) {
        const { rows } = await client.query(`execute generic(${run % 2 === 0 ? `'10.1.0.1'` : `'AWS Internal'`})`);
        expect(rows).toEqual([{ n: run % 2 === 0 ? 1 : 0 }]);
      }
      await client.query('deallocate generic');
    });
  });
});

describe('key_inet', () => {
  it.each([
    [`'203.0.113.7'::text`, '203.0.113.7/32'],
    [`'203.0.113.0/24'::text`, null],
    [`'203.0.113.7/32'::inet`, '203.0.113.7/32'],
    [`'203.0.113.0/24'::inet`, null],
    [`'2001:db8::1'::inet`, '2001:db8::1/128'],
    [`'2001:db8::/64'::inet`, null],
    [`'AWS Internal'::text`, null],
    [`null::inet`, null],
    [`'203.0.113.0/24'::cidr`, null],
    [`'203.0.113.7'`, '203.0.113.7/32'],
  ])('of %s is %j', async (expression, key) => {
    expect(await value(`select trailhound.key_inet(${expression})::text`)).toBe(key);
  });
});

describe('trailhound.raise', () => {
  it.each([
    ['a detail and a hint', 'The detail.', 'The hint.'],
    ['neither', undefined, undefined],
    ['a detail alone', 'The detail.', undefined],
    ['a hint alone', undefined, 'The hint.'],
  ])('fails with just the given error: %s', async (_name, detail, hint) => {
    const error = await engine.pool
      .query('select trailhound.raise($1, $2, $3, $4)', ['HV002', 'a 100% sure message', detail ?? null, hint ?? null])
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ severity: 'ERROR', code: 'HV002', message: 'a 100% sure message', detail, hint });
  });
});
