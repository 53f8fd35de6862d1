import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { openEngine } from '../../src/engine/open.ts';
import { setUpSchema } from '../../src/engine/schema.ts';
import { removeTemporaryDirectories, temporaryDirectory } from './support/temporary-directory.ts';

/** Real records, real patterns, and which of them match as AWS's own matcher says. */
const DATA = process.env['TRAILHOUND_TEST_DATA'];

let engine: Engine;

beforeAll(async () => {
  engine = await openEngine({
    dataDir: await temporaryDirectory(),
    database: 'trailhound',
    maxClients: 5,
    poolSize: 2,
  });
  await setUpSchema(engine, { password: 'x' });
});
afterAll(async () => {
  await engine.close();
  await removeTemporaryDirectories();
});

async function value(sql: string, ...parameters: unknown[]): Promise<unknown> {
  const { rows } = await engine.pool.query<Record<string, unknown>>(sql, parameters);
  return Object.values(rows[0] ?? {})[0];
}

const matches = (event: unknown, pattern: unknown) =>
  value('select trailhound.event_matches($1, $2)', JSON.stringify(event), JSON.stringify(pattern));

describe('a value', () => {
  test.each([
    ['the same text', 'a', ['a'], true],
    ['another text', 'a', ['b'], false],
    ['one of several', 'a', ['b', 'a'], true],
    ['one of the event’s own several', ['x', 'a'], ['b', 'a'], true],
    ['in arrays of arrays', [[['a']]], ['a'], true],
    ['a text in another case', 'A', ['a'], false],
    ['a number by its value', 300, [3e2], true],
    ['a number that is a text', '300', [300], false],
    ['a text that is a number', 300, ['300'], false],
    ['null', null, [null], true],
    ['null that is a text', 'null', [null], false],
    ['a boolean', true, [true], true],
    ['the empty text', '', [''], true],
    ['an object', { b: 'a' }, ['a'], false],
    ['nothing', [], ['a'], false],
    ['an address in another notation', '0:0:0:0:0:0:0:1', ['::1'], true],
    ['a text with quotes, backslashes and new lines', 'a"\\\n\u0001é', ['a"\\\n\u0001é'], true],
  ])('%s', async (_, event, rule, expected) => {
    expect(await matches({ a: event }, { a: rule })).toBe(expected);
  });
});

describe('a comparison', () => {
  test.each([
    [{ prefix: 'ab' }, ['ab', 'abc'], ['aB', 'xab', 5, null]],
    [{ prefix: '' }, ['', 'a'], [5, true, null]],
    [{ prefix: { 'equals-ignore-case': 'éA.' } }, ['Éa.b', 'éA.'], ['éaxb']],
    [{ suffix: '.png' }, ['a.png', '.png', 'b\n.png'], ['apng', '.png ', '.PNG']],
    [{ suffix: { 'equals-ignore-case': '.png' } }, ['a.PNG'], ['aPNG']],
    [{ 'equals-ignore-case': 'a(b' }, ['A(B', 'a(b'], ['ab', 'A(Bc']],
    [{ exact: 'a' }, ['a'], ['b']],
    [{ wildcard: 'a*c' }, ['ac', 'abc', 'a\nc'], ['abcd', 'xac', 5]],
    [{ wildcard: '*\\**\\\\' }, ['*\\', 'a*b\\'], ['a\\', '*']],
    [{ wildcard: '*' }, ['', 'a'], [1, null]],
    [{ 'anything-but': 'a' }, ['b', 'A', 1, null, true], ['a']],
    [{ 'anything-but': ['a', 'b'] }, ['c', 0], ['a', 'b']],
    [{ 'anything-but': 1 }, [2, '1', null, false], [1, 1.0]],
    [{ 'anything-but': [1, 2] }, [3, 'a'], [2]],
    [{ 'anything-but': { prefix: 'a' } }, ['ba', 1], ['ab']],
    [{ 'anything-but': { suffix: ['a', 'b'] } }, ['ac', null], ['xa', 'xb']],
    [{ 'anything-but': { 'equals-ignore-case': ['a', 'b'] } }, ['c'], ['A', 'b']],
    [{ 'anything-but': { wildcard: ['*/bin/*', 'x*'] } }, ['/lib/a', 5], ['/bin/a', 'xy']],
    [{ numeric: ['>', 0, '<=', 5] }, [0.1, 5], [0, 5.1, '3', null]],
    [{ numeric: ['=', -1.5] }, [-1.5], [1.5]],
    [{ cidr: '10.0.0.0/8' }, ['10.255.0.1', '10.0.0.010'], ['11.0.0.1', '10.0.0.1/32', 'x', 10]],
    [{ cidr: '2001:db8::/32' }, ['2001:db8::1', '2001:0DB8:0:0::1'], ['2001:db9::1', '10.0.0.1']],
    [{ exists: true }, ['', null, 0, ['a']], [{}, [], { b: 1 }]],
    [{ exists: false }, [{}, [], { b: 1 }], ['', null, 0]],
  ])('%j', async (rule, accepted, refused) => {
    for (const event of accepted) expect([event, await matches({ a: event }, { a: [rule] })]).toEqual([event, true]);
    for (const event of refused) expect([event, await matches({ a: event }, { a: [rule] })]).toEqual([event, false]);
  });
});

describe('several fields', () => {
  const items = { items: [{ kind: 'user', name: 'ann' }, { kind: 'role', name: 'bob' }, { kind: 'key' }] };

  test.each([
    ['all of them have to match', { a: 1, b: { c: 2 } }, { a: [1], b: { c: [3] } }, false],
    ['a field that is not there does not match', { a: 1 }, { a: [1], b: { c: [{ 'anything-but': 1 }] } }, false],
    ['a key with a dot is one key', { 'a.b': 1 }, { 'a.b': [1] }, true],
    ['those in one array match in one element', items, { items: { kind: ['user'], name: ['ann'] } }, true],
    ['and not across elements', items, { items: { kind: ['user'], name: ['bob'] } }, false],
    ['absence after a match is of that element', items, { items: { kind: ['key'], name: [{ exists: false }] } }, true],
    ['where it is not absent', items, { items: { kind: ['role'], name: [{ exists: false }] } }, false],
    ['absence before any match is of all', items, { items: { aka: [{ exists: false }], kind: ['key'] } }, true],
    ['absence of what no object holds', { a: 1 }, { b: { c: { d: [{ exists: false }] } } }, true],
    ['a value or absence', { a: 1 }, { a: [1], b: ['x', { exists: false }] }, true],
    ['neither', { a: 1, b: 'y' }, { a: [1], b: ['x', { exists: false }] }, false],
    ['$or is one of its objects', { a: 1, b: 2 }, { $or: [{ c: [2] }, { b: [2] }], a: [1] }, true],
    ['none of its objects', { a: 1, b: 3 }, { $or: [{ c: [2] }, { b: [2] }], a: [1] }, false],
    [
      '$or inside of $or',
      { a: { x: 1 }, b: 2 },
      { $or: [{ c: [1] }, { a: { $or: [{ x: [1] }, { y: [1] }] }, b: [2] }] },
      true,
    ],
    ['$or within one element', items, { items: { $or: [{ kind: ['role'] }, { kind: ['key'] }], name: ['bob'] } }, true],
  ])('%s', async (_, event, pattern, expected) => {
    expect(await matches(event, pattern)).toBe(expected);
  });
});

describe('an invalid pattern', () => {
  test.each([
    [5, 'its top: it has to be an object'],
    [{}, 'its top: an empty object'],
    [{ a: {} }, 'a: an empty object'],
    [{ a: 'x' }, 'a: it has to be an object or an array'],
    [{ a: [] }, 'a: an empty array'],
    [{ a: { b: [['x']] } }, 'a.b[0]: a value cannot be an array'],
    [{ a: ['x', { like: 'y' }] }, 'a[1]: there is no comparison {"like": "y"}'],
    [{ a: [{ prefix: 'x', suffix: 'y' }] }, 'a[0]: there is no comparison'],
    [{ a: [{ prefix: 5 }] }, 'a[0]: it takes a string'],
    [{ a: [{ prefix: { suffix: 'x' } }] }, 'a[0]: "prefix" takes a string or'],
    [{ a: [{ wildcard: 'x**' }] }, 'a[0]: two wildcard characters in a row'],
    [{ a: [{ wildcard: 'x\\y' }] }, 'a[0]: a backslash may escape * and \\ only'],
    [{ a: [{ numeric: ['>', 1, '<'] }] }, 'a[0]: "numeric" takes'],
    [{ a: [{ numeric: ['>', '1'] }] }, 'a[0]: "numeric" compares with numbers'],
    [{ a: [{ numeric: [null, 1] }] }, 'a[0]: "numeric" takes'],
    [{ a: [{ cidr: '10.0.0.0' }] }, 'a[0]: that is no CIDR block'],
    [{ a: [{ cidr: '10.0.0.0/40' }] }, 'a[0]: that is no CIDR block'],
    [{ a: [{ exists: 'yes' }] }, 'a[0]: "exists" takes true or false'],
    [{ a: [{ 'anything-but': ['x', 1] }] }, 'a[0]: "anything-but" takes strings only or numbers only'],
    [{ a: [{ 'anything-but': [] }] }, 'a[0]: "anything-but" of nothing'],
    [{ a: [{ 'anything-but': { prefix: '' } }] }, 'a[0]: "anything-but" of an empty prefix'],
    [{ a: [{ 'anything-but': { numeric: ['>', 1] } }] }, 'a[0]: "anything-but" takes values, or one of'],
    [{ $or: [{ a: [1] }] }, '$or: "$or" takes an array of two objects or more'],
    [{ $or: [{ a: [1] }, 5] }, 'its top: it has to be an object'],
    [{ b: { $or: [{ prefix: [1] }, { c: [1] }] } }, 'b.$or: a comparison cannot stand right in "$or"'],
    [{ a: [1], $or: [{ a: [2] }, { b: [2] }] }, 'a: the field stands there twice'],
  ])('%j', async (pattern, message) => {
    await expect(matches({}, pattern)).rejects.toMatchObject({
      code: '22023',
      message: expect.stringContaining(`invalid event pattern at ${message}`) as string,
    });
  });

  it('of too many combinations is refused before it is made', async () => {
    const or = (key: string) => Array.from({ length: 11 }, (_, n) => ({ [`${key}${n}`]: [1] }));
    await expect(matches({}, { $or: or('a'), x: { $or: or('b') }, y: { $or: or('c') } })).rejects.toMatchObject({
      code: '22023',
    });
  });
});

describe('a constant pattern', () => {
  it('is read once, while the statement is planned', async () => {
    const { rows } = await engine.pool.query<{ 'QUERY PLAN': string }>(
      `explain (verbose, costs off) select trailhound.event_matches(e, '{"source": ["aws.iam"]}') from jsonb_array_elements('[]') as r(e)`,
    );
    const text = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(text).toContain('event_path_matches(e, ');
    expect(text).not.toContain('event_pattern_path');
  });
});

describe('why an event matches', () => {
  it('says which value of which field met which rule', async () => {
    const { rows } = await engine.pool.query('select field, rule, value from trailhound.event_match_reasons($1, $2)', [
      { detail: { eventName: 'CreateUser', ips: ['10.0.0.1', '11.0.0.1'] } },
      {
        detail: {
          eventName: ['DeleteUser', { prefix: 'Create' }],
          ips: [{ cidr: '10.0.0.0/8' }],
          errorCode: [{ exists: false }],
        },
      },
    ]);
    expect(rows).toEqual([
      { field: 'detail.errorCode', rule: { exists: false }, value: null },
      { field: 'detail.eventName', rule: { prefix: 'Create' }, value: 'CreateUser' },
      { field: 'detail.ips', rule: { cidr: '10.0.0.0/8' }, value: '10.0.0.1' },
    ]);
  });

  it('says it of a pattern without addresses, too', async () => {
    const { rows } = await engine.pool.query('select field, rule, value from trailhound.event_match_reasons($1, $2)', [
      { detail: { tags: [{ key: 'Team', value: 'Red' }, { key: 'Team' }], count: 300 } },
      {
        detail: { tags: { value: ['Red', { 'anything-but': 'Blue' }] }, count: [{ numeric: ['>', 3e2, '<', 1] }, 3e2] },
      },
    ]);
    expect(rows).toEqual([
      { field: 'detail.count', rule: 300, value: 300 },
      { field: 'detail.tags.value', rule: 'Red', value: 'Red' },
      { field: 'detail.tags.value', rule: { 'anything-but': 'Blue' }, value: 'Red' },
    ]);
  });

  it('says nothing of one that does not', async () => {
    expect(
      await value(
        'select count(*)::int from trailhound.event_match_reasons($1, $2)',
        { a: 1, b: 2 },
        { a: [1], b: [3] },
      ),
    ).toBe(0);
  });
});

describe('as_event', () => {
  it('puts a record into EventBridge’s envelope', async () => {
    const record = {
      eventID: 'e-1',
      eventType: 'AwsConsoleSignIn',
      eventSource: 'signin.amazonaws.com',
      recipientAccountId: '111122223333',
      eventTime: '2026-11-01T00:00:00Z',
      awsRegion: 'us-east-1',
    };
    expect(await value('select trailhound.as_event($1)', record)).toEqual({
      version: '0',
      id: 'e-1',
      'detail-type': 'AWS Console Sign In via CloudTrail',
      source: 'aws.signin',
      account: '111122223333',
      time: '2026-11-01T00:00:00Z',
      region: 'us-east-1',
      resources: [],
      detail: record,
    });
  });

  it('puts a finding into it', async () => {
    const finding = {
      schemaVersion: '2.0',
      id: 'f-1',
      accountId: '111122223333',
      region: 'us-east-1',
      type: 'Recon:EC2/PortProbeUnprotectedPort',
      severity: 2,
      updatedAt: '2026-11-01T00:00:00Z',
      service: { serviceName: 'guardduty' },
    };
    expect(await value('select trailhound.as_event($1)', finding)).toEqual({
      version: '0',
      id: 'f-1',
      'detail-type': 'GuardDuty Finding',
      source: 'aws.guardduty',
      account: '111122223333',
      time: '2026-11-01T00:00:00Z',
      region: 'us-east-1',
      resources: [],
      detail: finding,
    });
  });

  it('leaves an envelope as it is', async () => {
    const event = { 'detail-type': 'AWS API Call via CloudTrail', detail: { eventName: 'CreateUser' } };
    expect(await value('select trailhound.as_event($1)', event)).toEqual(event);
  });
});

describe.skipIf(DATA === undefined)('real patterns over real records', () => {
  const lines = async (name: string) => {
    const bytes = await readFile(join(DATA!, name));
    const text = name.endsWith('.gz') ? await promisify(gunzip)(bytes) : bytes;
    return text
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '');
  };

  it('match as AWS’s own matcher says, each pattern on each record', async () => {
    const expected = (await lines('patterns/event_ruler_matches.ndjson.gz')).map(
      (line) => JSON.parse(line) as { set: string; line: number; patterns: number[] },
    );
    const sets = [...new Set(expected.map(({ set }) => set))];
    const patterns = (await lines('patterns/eventbridge_patterns.ndjson')).map(
      (line) => (JSON.parse(line) as { pattern: unknown }).pattern,
    );
    expect(patterns.length).toBeGreaterThan(100);

    const found: string[] = [];
    for (const set of sets) {
      const { rows } = await engine.pool.query<{ pattern: number; line: number }>(
        `with event as materialized (select n - 1 as line, trailhound.as_event(r::jsonb) as event
           from unnest($1::text[]) with ordinality as r(r, n)),
         pattern as materialized (select n - 1 as pattern, trailhound.event_pattern_path(p::jsonb) as path,
             trailhound.event_pattern_blocks(p::jsonb) as blocks
           from unnest($2::text[]) with ordinality as p(p, n))
         select pattern::int, line::int from event, pattern where trailhound.event_path_matches(event, path, blocks)`,
        [await lines(`cloudtrail/${set}.ndjson.gz`), patterns.map((pattern) => JSON.stringify(pattern))],
      );
      found.push(...rows.map(({ pattern, line }) => `${set} ${line} ${pattern}`));
    }

    const wanted = expected.flatMap(({ set, line, patterns: all }) =>
      all.map((pattern) => `${set} ${line} ${pattern}`),
    );
    expect(found.sort()).toEqual(wanted.sort());
  });
});
