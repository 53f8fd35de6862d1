import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Condition, Predicate } from '../../src/sources/source.ts';
import { openBench, sorted, type Bench } from './support/bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

function said(condition: Condition): string {
  if (condition.kind === 'predicate') return saidBy(condition.predicate);
  return `(${condition.of.map(said).join(` ${condition.kind} `)})`;
}

function saidBy({ column, operator, values }: Predicate): string {
  return [column.name, operator, values.join(', ')].filter((part) => part !== '').join(' ');
}

/** Rows as PostgreSQL's over plain tables; what the scan is asked. */
async function asks(where: string, asked: readonly string[]): Promise<void> {
  const text = `select event_id from cloudtrail_trail_event where ${where}`;
  const expected = sorted(await bench.oracle(text));
  bench.events.requests.length = 0;
  const { rows } = await bench.ask(text);
  expect(sorted(rows)).toEqual(expected);
  const said_ = bench.events.requests.flatMap(({ predicates, conditions = [] }) => [
    ...predicates.map(saidBy),
    ...conditions.map(said),
  ]);
  expect(said_).toEqual(asked);
}

const matches = (pattern: unknown) =>
  `trailhound.event_matches(trailhound.as_event(cloudtrail_event), '${JSON.stringify(pattern)}')`;

test.each<[what: string, pattern: unknown, asked: readonly string[]]>([
  [
    'values of fields that are texts',
    { source: ['aws.iam'], detail: { eventName: ['CreateUser', 'GetObject'], userIdentity: { type: ['IAMUser'] } } },
    ['event_name = CreateUser, GetObject', 'user_type = IAMUser', '(event_source = iam or event_source like iam.%)'],
  ],
  [
    'no source that the event source says already',
    { source: ['aws.iam'], detail: { eventSource: ['iam.amazonaws.com'] } },
    ['event_source = iam.amazonaws.com'],
  ],
  [
    'prefixes, suffixes and wildcards',
    { detail: { eventName: [{ prefix: 'Create' }, { suffix: 'Object' }, { wildcard: 'L*_b\\*%' }] } },
    ['(event_name like Create% or event_name like %Object or event_name like L%\\_b*\\%)'],
  ],
  [
    'what is excluded, but for null',
    {
      detail: {
        userIdentity: { userName: [{ 'anything-but': ['user1', 'user2'] }] },
        eventName: [{ 'anything-but': { prefix: 'List' } }],
      },
    },
    [
      '(username is null or (username <> user1 and username <> user2))',
      '(event_name is null or event_name not like List%)',
    ],
  ],
  [
    'null, but not what is absent: an object or an empty list is none of its values either',
    { detail: { errorCode: [{ exists: false }], eventName: ['CreateUser', null] } },
    ['(event_name = CreateUser or event_name is null)'],
  ],
  [
    'alternatives of fields',
    { detail: { $or: [{ eventName: ['CreateUser'] }, { errorCode: ['AccessDenied'], awsRegion: ['eu-west-1'] }] } },
    ['(event_name = CreateUser or (error_code = AccessDenied and aws_region = eu-west-1))'],
  ],
  [
    'the envelope’s own fields',
    { region: ['us-east-1'], 'detail-type': ['AWS Console Sign In via CloudTrail'] },
    ['aws_region = us-east-1', 'event_type = AwsConsoleSignIn'],
  ],
  [
    'only what is surely so',
    {
      'detail-type': ['AWS API Call via CloudTrail'],
      detail: {
        eventName: ['CreateUser', { 'equals-ignore-case': 'getobject' }],
        errorCode: [{ exists: true }],
        sourceIPAddress: ['34.1.1.1'],
        requestParameters: { name: ['x'] },
        'userIdentity.type': ['x'],
        awsRegion: ['us-east-1'],
      },
    },
    ['aws_region = us-east-1', '(event_name = CreateUser or event_name ilike getobject)'],
  ],
  [
    'texts of ASCII in any case',
    {
      detail: {
        eventName: [{ prefix: { 'equals-ignore-case': 'create_' } }, { suffix: { 'equals-ignore-case': 'User' } }],
        errorCode: [{ 'equals-ignore-case': 'ſ' }],
      },
    },
    ['(event_name ilike create\\_% or event_name ilike %User)'],
  ],
  [
    'nothing of numbers, blocks and cases',
    { detail: { sourceIPAddress: [{ cidr: '34.0.0.0/8' }], eventVersion: [{ numeric: ['>', 1] }] } },
    [],
  ],
])('%s of a constant pattern go to the source', async (_, pattern, asked) => {
  await asks(matches(pattern), asked);
});

const CREATED = matches({ detail: { eventName: ['CreateUser'] } });

test.each<[what: string, where: string, asked: readonly string[]]>([
  ['a cast', CREATED.replace(/\)$/, '::jsonb)'), ['event_name = CreateUser']],
  [
    'a pattern over the record itself',
    `trailhound.event_matches(cloudtrail_event, '{"eventName": ["CreateUser"]}')`,
    ['event_name = CreateUser'],
  ],
  [
    'further conditions',
    `${CREATED} and aws_region = 'us-east-1'`,
    ['event_name = CreateUser', 'aws_region = us-east-1'],
  ],
  ['alternatives', `${CREATED} or username = 'user3'`, ['(event_name = CreateUser or username = user3)']],
  ['its opposite', `not ${CREATED}`, []],
  ['its result, compared', `${CREATED} = true`, []],
  [
    'a pattern that is computed',
    `trailhound.event_matches(trailhound.as_event(cloudtrail_event), ('{"detail": {"eventName": ["CreateUser"]}}' || '')::jsonb)`,
    [],
  ],
  [
    'another event',
    `trailhound.event_matches(trailhound.as_event(user_identity), '{"detail": {"eventName": ["CreateUser"]}}')`,
    [],
  ],
])('%s', async (_, where, asked) => {
  await asks(where, asked);
});

test('a pattern that stands beside the events goes to the source, and is read once', async () => {
  const from = `from cloudtrail_trail_event e
    cross join (values ('{"detail": {"eventName": ["CreateUser"], "errorCode": [{"exists": false}]}}'::jsonb)) as rule (pattern)
    where trailhound.event_matches(trailhound.as_event(e.cloudtrail_event), rule.pattern)`;
  const text = `select event_id, (select jsonb_agg(to_jsonb(m))
    from trailhound.event_match_reasons(trailhound.as_event(e.cloudtrail_event), rule.pattern) as m) ${from}`;
  const expected = sorted(await bench.oracle(text));
  bench.events.requests.length = 0;
  const { rows } = await bench.ask(text);
  expect(rows.length).toBeGreaterThan(0);
  expect(sorted(rows)).toEqual(expected);
  expect(bench.events.requests.flatMap(({ predicates }) => predicates.map(saidBy))).toEqual([
    'event_name = CreateUser',
  ]);
  const plan = await bench.oracle(`explain (verbose) select event_id ${from}`);
  expect(plan.flat().join('\n')).toMatch(/event_path_matches\([^\n]*'\(*\$\?/);
});

test('a pattern that is none fails as PostgreSQL says', async () => {
  await expect(
    bench.ask(`select event_id from cloudtrail_trail_event where ${matches({ detail: { eventName: [] } })}`),
  ).rejects.toThrow(/invalid event pattern at detail\.eventName/);
});

test('an outer join keeps the rows that no event matches', async () => {
  const text = `select w.note, e.event_id from watchlist w left join cloudtrail_trail_event e on e.source_ip = w.address
    and trailhound.event_matches(trailhound.as_event(e.cloudtrail_event), '{"detail": {"errorCode": [{"exists": false}]}}')`;
  const { rows } = await bench.ask(text);
  expect(sorted(rows)).toEqual(sorted(await bench.oracle(text)));
});
