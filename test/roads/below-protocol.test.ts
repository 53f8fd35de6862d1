import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { decodeDataRow } from '../../src/wire/backend/data-row.ts';
import { decodeErrorResponse } from '../../src/wire/backend/error-response.ts';
import { encodeBind } from '../../src/wire/frontend/bind.ts';
import { encodeDescribe } from '../../src/wire/frontend/describe.ts';
import { encodeExecute } from '../../src/wire/frontend/execute.ts';
import { encodeFlush } from '../../src/wire/frontend/flush.ts';
import { encodeParse } from '../../src/wire/frontend/parse.ts';
import { encodeQuery } from '../../src/wire/frontend/query.ts';
import { encodeSync } from '../../src/wire/frontend/sync.ts';
import { connectTcp, logIn, WireClient, type WireMessage } from '../session/support/wire-client.ts';
import { incident } from './support/incident.ts';
import { psql, PSQL_VERSION } from './support/psql.ts';
import { openRoad, sorted, textRows, type Road } from './support/road.ts';

/** Keys from an ordinary table, below a view: the table may change before the view is scanned, unless both are of one snapshot. */
const JOIN = 'select w.note, r.score from watched w join reputation r on r.ip = w.ip';
const WATCHED = ['45.83.12.7', '5.188.86.10', '91.240.118.3'];

let road: Road;
let client: Client;
let wire: WireClient;
let expected: string[];

beforeAll(async () => {
  road = await openRoad({ simulator: { world: incident() } });
  client = await road.connect();
  await client.query(`set trailhound.cache = off`);
  await client.query(`
    create view reputation as select ip_address as ip, abuse_confidence_score as score from abuseipdb_check_ip;
    create view created as select e.event_id, a.ip_address, a.abuse_confidence_score as score
      from cloudtrail_trail_event e join abuseipdb_check_ip a on a.ip_address = e.source_ip where e.event_name = 'CreateUser';
    create table watched (ip inet, note text);
    insert into watched values ('91.240.118.3', 'a'), ('45.83.12.7', 'b'), ('45.83.12.7', 'c'), ('5.188.86.10', 'd'), (null, 'e')`);
  expected = sorted(await textRows(client, JOIN));
});

beforeEach(async () => {
  wire = new WireClient(await connectTcp(road.endpoint.port));
  const { password, database } = road.endpoint;
  await logIn(wire, { user: 'trailhound', password, database, parameters: [['trailhound.cache', 'off']] });
  road.simulator.calls.reset();
  return () => wire.close();
});

afterAll(async () => {
  await road.close();
});

const keys = (): string[] =>
  road.simulator.calls.all
    .filter(({ service }) => service === 'abuseipdb')
    .map(({ key }) => key ?? '')
    .sort();

const parse = (text: string, statement = '') => encodeParse({ statement, text, parameterTypes: [] });
const bind = (values: readonly string[] = [], { statement = '', portal = '' } = {}) =>
  encodeBind({
    portal,
    statement,
    parameters: values.map((value) => ({ format: 0, value: Buffer.from(value) })),
    resultFormats: [],
  });
const describePortal = encodeDescribe({ target: 'P', name: '' });
const execute = (portal = '', maxRows = 0) => encodeExecute({ portal, maxRows });

function rowsIn(messages: readonly WireMessage[]): string[] {
  const rows = messages.filter(({ type }) => type === 'D');
  return sorted(rows.map(({ payload }) => decodeDataRow(payload).values.map((value) => value?.toString() ?? '')));
}

function errorsIn(messages: readonly WireMessage[]): string[] {
  return messages
    .filter(({ type }) => type === 'E')
    .map(({ payload }) => decodeErrorResponse(payload).fields.get('C') ?? '');
}

/** Any five rows of 40: keys are asked for in growing numbers where the table cannot change before the statement. */
describe('LIMIT over an ordinary table asks for as many keys as it takes', () => {
  const LIMITED = `select n.ip, a.abuse_confidence_score from numbered n join abuseipdb_check_ip a on a.ip_address = n.ip limit 5`;
  beforeAll(async () => {
    await client.query(
      `create table numbered as select inet '45.83.14.0' + n as ip from pg_catalog.generate_series(1, 40) n`,
    );
    return async () => {
      await client.query('drop table numbered');
    };
  });

  test.each([
    ['alone, as a simple Query', [], LIMITED, 16],
    ['EXPLAIN ANALYZE', [], `explain analyze ${LIMITED}`, 16],
    ['in a block of REPEATABLE READ', ['begin isolation level repeatable read'], LIMITED, 16],
    ['in a block of READ COMMITTED, all of them', ['begin'], LIMITED, 40],
  ] as const)('%s', async (_name, before, text, calls) => {
    for (const each of before) await client.query(each);
    const rows = await textRows(client, text);
    if (before.length > 0) await client.query('commit');
    expect(keys()).toHaveLength(calls);
    if (text === LIMITED) expect(rows).toHaveLength(5);
  });

  test('with parameters, in a transaction of its own, again and again', async () => {
    for (let round = 0; round < 3; round += 1) {
      road.simulator.calls.reset();
      const { rows } = await client.query({ name: 'limited', text: LIMITED.replace('5', '$1'), values: [3 + round] });
      expect([rows.length, keys().length]).toEqual([3 + round, 16]);
    }
    expect(await textRows(client, 'show transaction_isolation')).toEqual([['read committed']]);
  });

  test('behind another statement of the same Query, all of them', async () => {
    wire.send(encodeQuery({ text: `select 1; ${LIMITED}` }));
    expect(rowsIn(await wire.until('Z'))).toHaveLength(6);
    expect(keys()).toHaveLength(40);
  });
});

/** Another session's rows come while keys are looked up: no row of theirs may seem to have no answer. */
describe('keys and rows of an ordinary table are of one snapshot where a SELECT stands alone', () => {
  const LOOK_UP = 'select w.note, a.ip_address from watched w left join abuseipdb_check_ip a on a.ip_address = w.ip';
  const SCAN = `select w.note, count(e.event_id) from watched w
    left join cloudtrail_trail_event e on e.source_ip_address = host(w.ip) group by 1`;
  test.each([
    ['a look-up', 'abuseipdb', LOOK_UP],
    ['a look-up, in EXPLAIN ANALYZE', 'abuseipdb', `explain analyze ${LOOK_UP}`],
    ['a look-up in a table that it makes', 'abuseipdb', `create temp table copied as ${LOOK_UP}`],
    ['a scan', 'logs', SCAN],
  ] as const)('%s', async (_name, service, text) => {
    const other = await road.connect();
    const release = road.simulator.hold(service);
    try {
      const answer = client.query(text);
      await road.simulator.calls.until((calls) => calls.open(service) > 0);
      await other.query("insert into watched values ('45.83.12.8', 'new')");
      release();
      const { rows } = await answer;
      expect(JSON.stringify(rows)).not.toContain('"new"');
      expect(await textRows(client, 'show transaction_isolation')).toEqual([['read committed']]);
    } finally {
      release();
      await other.query("delete from watched where note = 'new'");
      await client.query('drop table if exists copied');
    }
  });
});

describe('keys from ordinary tables reach look-ups below views, outside of a block:', () => {
  test('pg with parameters', async () => {
    expect(sorted(await textRows(client, `${JOIN} where w.note <> $1`, ['none']))).toEqual(expected);
    expect(keys()).toEqual(WATCHED);
  });

  test('pg with a name, again and again', async () => {
    for (let round = 0; round < 7; round += 1) {
      road.simulator.calls.reset();
      const { rows } = await client.query({
        name: 'named',
        text: `${JOIN} where w.note <> $1`,
        values: ['a'],
        rowMode: 'array',
      });
      expect(rows).toHaveLength(3);
      expect(keys()).toEqual(WATCHED.slice(0, 2));
    }
  });

  test('Parse and Describe in a segment before, as pgx and JDBC do', async () => {
    wire.send(parse(`${JOIN} where w.note <> $1`, 's'), encodeDescribe({ target: 'S', name: 's' }), encodeSync());
    await wire.until('Z');
    wire.send(bind(['none'], { statement: 's' }), describePortal, execute(), encodeSync());
    const messages = await wire.until('Z');
    expect(errorsIn(messages)).toEqual([]);
    expect(messages.map(({ type }) => type).filter((type) => type !== 'D')).toEqual(['2', 'T', 'C', 'Z']);
    expect(rowsIn(messages)).toEqual(expected);
    expect(keys()).toEqual(WATCHED);
  });

  test('one message at a time', async () => {
    for (const message of [parse(JOIN), bind(), describePortal, execute()]) wire.send(message);
    // Nothing is answered before a Sync or a Flush.
    expect(sorted(await textRows(client, JOIN))).toEqual(expected);
    wire.send(encodeSync());
    const messages = await wire.until('Z');
    expect(messages.map(({ type }) => type).filter((type) => type !== 'D')).toEqual(['1', '2', 'T', 'C', 'Z']);
    expect(rowsIn(messages)).toEqual(expected);
  });

  test('PREPARE and EXECUTE', async () => {
    await client.query(`prepare p (text) as ${JOIN} where w.note <> $1`);
    expect(sorted(await textRows(client, `execute p ('none')`))).toEqual(expected);
    expect(keys()).toEqual(WATCHED);
    await client.query('deallocate p');
  });

  test.runIf((PSQL_VERSION ?? 0) >= 16)('psql with \\bind', async () => {
    const { stdout, stderr } = await psql(road, `${JOIN} where w.note <> $1 order by 1 \\bind none \\g\n`, {
      args: ['-At'],
    });
    expect(stderr).toBe('');
    expect(
      sorted(
        stdout
          .trim()
          .split('\n')
          .map((line) => line.split('|')),
      ),
    ).toEqual(expected);
  });

  test('a client that goes away before it has said what else runs', async () => {
    wire.send(parse(JOIN), bind(), execute());
    wire.close();
    await wire.closed;
    expect(sorted(await textRows(client, JOIN))).toEqual(expected);
  });

  test.each([
    [
      'is part of a pipeline',
      () => [parse(JOIN), bind(), execute(), parse('select 1'), bind(), execute(), encodeSync()],
    ],
    ['may become part of one', () => [parse(JOIN), bind(), execute(), encodeFlush(), encodeSync()]],
    [
      'is part of a pipeline that has run something',
      () => [parse('select 1'), bind(), execute(), parse(JOIN), bind(), execute(), encodeSync()],
    ],
  ])('where the statement %s, too: what else runs there keeps its isolation level', async (_, messages) => {
    wire.send(...messages());
    expect(errorsIn(await wire.until('Z'))).toEqual([]);
    expect(keys().length).toBeGreaterThan(0);
  });
});

describe('a named portal below a view', () => {
  const begin = async () => {
    wire.send(encodeQuery({ text: 'begin isolation level repeatable read' }));
    await wire.until('Z');
    wire.send(
      parse('select event_id, score from created order by 1', 's'),
      bind([], { statement: 's', portal: 'p' }),
      execute('p', 1),
      encodeSync(),
    );
    expect(rowsIn(await wire.until('Z'))).toHaveLength(1);
  };
  const query = async (text: string) => {
    wire.send(encodeQuery({ text }));
    expect(errorsIn(await wire.until('Z'))).toEqual([]);
  };

  test('is read on', async () => {
    await begin();
    wire.send(execute('p'), encodeSync());
    const messages = await wire.until('Z');
    expect(errorsIn(messages)).toEqual([]);
    const { rows } = await client.query('select event_id, score from created order by 1 offset 1');
    expect(rowsIn(messages)).toHaveLength(rows.length);
  });

  /** Made where nobody sees it being made. */
  const makeUnseen = (name: string) =>
    query(
      `do $$ begin execute 'cre' || 'ate or replace view ${name} as select ip_address as ip, abuse_confidence_score as score from abuseipdb_check_ip'; end $$`,
    );

  test.each([
    ['SQL', (text: string) => [`close p`, `declare p cursor for ${text}`]],
    [
      'PL/pgSQL',
      (text: string) => [`do $$ declare p refcursor := 'p'; begin close p; open p for execute '${text}'; end $$`],
    ],
  ])('gives its rows to no cursor that %s has put in its place', async (_, made) => {
    await begin();
    await makeUnseen('unseen_in_portal');
    for (const text of made('select ip, score from unseen_in_portal')) await query(text);
    wire.send(execute('p'), encodeSync());
    expect(errorsIn(await wire.until('Z'))).toEqual(['HV002']);
  });

  test('is forgotten where another portal has got its name', async () => {
    await begin();
    await query('close p');
    wire.send(parse('select 1', 't'), bind([], { statement: 't', portal: 'p' }), execute('p'), encodeSync());
    expect(rowsIn(await wire.until('Z'))).toEqual(['1']);
  });
});
