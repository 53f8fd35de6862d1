import { afterAll, beforeAll, expect, test } from 'vitest';
import { dashboards, expandMacros } from '../house/grafana.ts';
import { read } from '../house/repository.ts';
import { LOG_GROUP, openRoad, type Road } from '../roads/support/road.ts';

const ACCOUNT_ID = '111122223333';
const USER = `arn:aws:iam::${ACCOUNT_ID}:user/ann`;
const SESSION = `arn:aws:sts::${ACCOUNT_ID}:assumed-role/web/i-0abc`;
const NOW = Date.now();
const HOUR = 3_600_000;
const AN_HOUR_AGO = new Date(NOW - HOUR).toISOString().replace(/\.\d+Z$/, 'Z');

/** `readOnly` is left out of many real records: what is NULL is no read. */
const RECORDS = [
  { eventName: 'RunInstances', eventSource: 'ec2.amazonaws.com' },
  { eventName: 'StopLogging', readOnly: false },
  { eventName: 'ListUsers', readOnly: true },
  { eventName: 'GetObject', readOnly: true, errorCode: 'AccessDenied' },
  { eventName: 'Query', readOnly: true, errorCode: 'AccessDeniedException' },
  { eventName: 'StopInstances', eventSource: 'ec2.amazonaws.com', errorCode: 'Client.UnauthorizedOperation' },
  { eventName: 'GetItem', readOnly: true, errorCode: 'ResourceNotFoundException' },
].map((record, index) => ({
  eventVersion: '1.11',
  eventTime: AN_HOUR_AGO,
  eventSource: 'iam.amazonaws.com',
  eventID: `event-${index}`,
  awsRegion: 'us-east-1',
  sourceIPAddress: '198.51.100.10',
  userIdentity: { type: 'IAMUser', userName: 'ann', arn: USER },
  recipientAccountId: ACCOUNT_ID,
  ...record,
}));

const action = (...addresses: readonly string[]) => ({
  ActionType: 'PORT_PROBE',
  PortProbeAction: { PortProbeDetails: addresses.map((IpAddressV4) => ({ RemoteIpDetails: { IpAddressV4 } })) },
});
const FINDINGS = [
  { Id: 'of-role', Resource: { AccessKeyDetails: { UserName: 'web', UserType: 'AssumedRole' } } },
  { Id: 'of-instance', Resource: { InstanceDetails: { InstanceId: 'i-0abc' } } },
  { Id: 'of-user', Resource: { AccessKeyDetails: { UserName: 'ann', UserType: 'IAMUser' } } },
  // A user who has the name that the session has given itself.
  { Id: 'of-namesake', Resource: { AccessKeyDetails: { UserName: 'i-0abc', UserType: 'IAMUser' } } },
  { Id: 'of-probe', Service: { Action: action('45.83.12.7', '45.83.12.8') } },
].map(({ Id, Resource = {}, Service = {} }) => ({
  SchemaVersion: '2.0',
  AccountId: ACCOUNT_ID,
  Region: 'us-east-1',
  Id,
  Type: 'made:up/finding',
  Severity: 5,
  CreatedAt: AN_HOUR_AGO,
  UpdatedAt: AN_HOUR_AGO,
  Title: Id,
  Resource,
  Service: { ServiceName: 'guardduty', Count: 1, Archived: false, ...Service },
}));

let road: Road;
beforeAll(async () => {
  const region = {
    name: 'us-east-1',
    logGroups: [{ name: LOG_GROUP, events: { records: RECORDS, delivery: { maxDelayMs: 0 } } }],
    detectors: [{ detectorId: '12abc34d567e8fa901bc2d34e56789f0', findings: { records: FINDINGS } }],
  };
  road = await openRoad({ simulator: { world: { accounts: [{ accountId: ACCOUNT_ID, regions: [region] }] } } });
});
afterAll(() => road.close());

function panelOf(title: string) {
  for (const [, dashboard] of dashboards()) {
    const sql = dashboard.panels.find((panel) => panel.title === title)?.targets[0]?.rawSql;
    if (sql !== undefined) return { dashboard, sql };
  }
  throw new Error(`no panel is named ${title}`);
}

async function shown(title: string, subject = USER): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { dashboard, sql } = panelOf(title);
  const list = dashboard.templating.list.map((variable) => ({ ...variable, current: { value: subject } }));
  const range = { from: new Date(NOW - 24 * HOUR).toISOString(), to: new Date(NOW).toISOString() };
  const text = expandMacros(sql, { ...range, interval: '1h' }, { ...dashboard, templating: { list } });
  return road.with(async (client) => (await client.query<Record<string, unknown>>(text)).rows);
}

test('what was made or changed has the calls of which nobody says whether they only read', async () => {
  const names = (await shown('What was made or changed')).map((row) => row['event_name']);
  expect(names.sort()).toEqual(['RunInstances', 'StopInstances', 'StopLogging']);
});

test('what was called says of each call whether it only reads, and begins with those that do not', async () => {
  const rows = (await shown('What was called')).map((row) => [row['event_name'], row['read_only']]);
  expect(rows.slice(0, 3).sort()).toEqual([
    ['RunInstances', false],
    ['StopInstances', false],
    ['StopLogging', false],
  ]);
  expect(rows.slice(3).map(([, readOnly]) => readOnly)).toEqual([true, true, true, true]);
});

test('refused calls are those of every service, whatever it calls a refusal', async () => {
  const codes = (await shown('Refused calls')).map((row) => row['error_code']);
  expect(codes.sort()).toEqual(['AccessDenied', 'AccessDeniedException', 'Client.UnauthorizedOperation']);
});

test.each([
  ['a session, by its role and its instance', SESSION, ['of-instance', 'of-role']],
  ['a role', `arn:aws:iam::${ACCOUNT_ID}:role/path/web`, ['of-role']],
  ['a user', USER, ['of-user']],
  ['the first address', '45.83.12.7', ['of-probe']],
  ['another address', '45.83.12.8', ['of-probe']],
  ['an address that none has', '45.83.12.9', []],
])('findings that name it are found for %s', async (_, subject, expected) => {
  const titles = (await shown('Findings that name it', subject)).map((row) => row['title']);
  expect(titles.sort()).toEqual(expected);
});

test.each(['Sensitive calls by account', 'Sensitive calls by principal'])('%s are those of the hunt', (title) => {
  const calls = (sql: string) => [...sql.matchAll(/event_source = '([^']+)' and (?:e\.)?event_name in \(([^)]*)\)/g)];
  const listed = (sql: string) =>
    calls(sql).map(([, source, names = '']) => [source, names.split(/,\s+/).map((name) => name.trim())]);
  const own = listed(read('queries/cloudtrail/sensitive-calls.sql'));
  expect(own).toHaveLength(2);
  expect(listed(panelOf(title).sql)).toEqual(own);
});
