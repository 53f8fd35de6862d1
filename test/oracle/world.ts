import type { SourceRecord } from '../../src/sources/source.ts';
import { recordOf } from '../query/support/fake-sources.ts';

/**
 * What there is, whole: what the sources hold and every key that a look-up has an answer for, and the same rows as
 * plain tables. Nothing here is computed by the code under test.
 */

/** As an event has it, and the address that PostgreSQL reads in it. */
const ADDRESSES: readonly (readonly [text: string | null, address: string | null])[] = [
  ['34.1.1.1', '34.1.1.1'],
  ['34.1.1.2', '34.1.1.2'],
  ['cloudformation.amazonaws.com', null],
  [null, null],
  ['34.1.1.3', '34.1.1.3'],
  ['034.001.001.002', '34.1.1.2'],
  ['10.0.0.1', '10.0.0.1'],
  ['2600:1F18:0::7', '2600:1f18::7'],
  ['34.1.1.0/24', '34.1.1.0/24'],
  ['34.1.1.4/32', '34.1.1.4'],
  ['AWS Internal', null],
  ['::ffff:34.1.1.1', '::ffff:34.1.1.1'],
  ['34.1.1.1', '34.1.1.1'],
];

export const CANONICAL: ReadonlyMap<string, string | null> = new Map(
  ADDRESSES.flatMap(([text, address]) => (text === null ? [] : [[text, address] as const])),
);

const NAMES = ['CreateUser', 'ListBuckets', 'ConsoleLogin', 'GetObject'] as const;
const SOURCES = ['iam.amazonaws.com', 's3.amazonaws.com'] as const;

interface Event {
  readonly eventID: string;
  readonly eventName: string;
  readonly eventSource: string;
  readonly eventTime: string | undefined;
  readonly sourceIPAddress: string | null;
  readonly errorCode: string | undefined;
  readonly readOnly: boolean | undefined;
  readonly awsRegion: string;
  readonly userIdentity: { readonly type: string; readonly userName?: string };
  readonly requestParameters: object | undefined;
}

/** Times repeat, the last has none; the first is there twice, as deliveries are. */
const EVENTS: readonly Event[] = [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((index): Event => {
  const [text = null] = ADDRESSES[index] ?? [];
  const [other = null] = ADDRESSES[(index * 5 + 4) % ADDRESSES.length] ?? [];
  return {
    eventID: `e${String(index).padStart(2, '0')}`,
    eventName: NAMES[index % NAMES.length] ?? '',
    eventSource: SOURCES[index % SOURCES.length] ?? '',
    eventTime:
      index === 12 ? undefined : new Date(Date.UTC(2026, 10, 20) - Math.floor(index / 2) * 3_600_000).toISOString(),
    sourceIPAddress: text,
    errorCode: index % 5 === 0 ? 'AccessDenied' : undefined,
    readOnly: index % 4 === 3 ? undefined : index % 2 === 0,
    awsRegion: index % 2 === 0 ? 'us-east-1' : 'eu-west-1',
    userIdentity: index % 6 === 5 ? { type: 'AWSService' } : { type: 'IAMUser', userName: `user${String(index % 4)}` },
    requestParameters:
      index % 3 === 2 ? undefined : { ip: other, ips: [text, other], user: `user${String(index % 5)}` },
  };
});

const FINDINGS = [
  { id: 'f1', type: 'UnauthorizedAccess:IAMUser/MaliciousIPCaller', severity: 5, remote: '34.1.1.3', user: 'user1' },
  { id: 'f2', type: 'CryptoCurrency:EC2/BitcoinTool.B', severity: 8, remote: '34.1.1.9', user: null },
  { id: 'f3', type: 'Policy:IAMUser/RootCredentialUsage', severity: 2, remote: null, user: 'user3' },
  { id: 'f4', type: 'CryptoCurrency:EC2/BitcoinTool.B', severity: 8, remote: '34.1.1.1', user: 'user1' },
] as const;

/** Some of them nothing mentions; one has two records. */
const REPUTATIONS = [
  { ip: '34.1.1.1', score: 11, country: null, tor: false },
  { ip: '34.1.1.2', score: 22, country: 'NL', tor: false },
  { ip: '34.1.1.3', score: 33, country: null, tor: true },
  { ip: '34.1.1.4', score: 22, country: 'DE', tor: null },
  { ip: '34.1.1.9', score: 99, country: 'NL', tor: false },
  { ip: '34.1.1.9', score: 1, country: 'DE', tor: true },
  { ip: '34.1.1.77', score: null, country: 'NL', tor: false },
  { ip: '34.1.1.200', score: 5, country: 'US', tor: false },
  { ip: '10.0.0.1', score: 0, country: null, tor: false },
  { ip: '2600:1f18::7', score: 77, country: 'US', tor: true },
  { ip: '::ffff:34.1.1.1', score: 44, country: 'NL', tor: false },
] as const;

const PEOPLE = [
  { name: 'user0', manager: 'user1', department: 'Sales', level: 1, home: '34.1.1.2' },
  { name: 'user1', manager: 'user2', department: 'IT', level: 2, home: '34.1.1.9' },
  { name: 'user2', manager: null, department: 'IT', level: 3, home: null },
  { name: 'user3', manager: 'user4', department: null, level: 2, home: '10.0.0.1' },
  { name: 'user4', manager: 'user3', department: 'Sales', level: null, home: '34.1.1.77' },
  { name: 'NL', manager: 'user0', department: 'IT', level: 1, home: '2600:1f18::7' },
  { name: '34.1.1.2', manager: 'NL', department: null, level: 1, home: '34.1.1.2' },
] as const;

/** The days for which there are reports; what is older counts less. */
const SINCE = [1, 3, 7, 20] as const;

export function isPrivate(address: string): boolean {
  return address.startsWith('10.');
}

export const eventRecords: readonly SourceRecord[] = EVENTS.map((event) =>
  recordOf(event, { log_group_name: 'trail', region: 'us-east-1', connection_name: 'aws' }),
);

export const findingRecords: readonly SourceRecord[] = FINDINGS.map(({ remote, user, ...finding }) =>
  recordOf(
    { ...finding, resource: { accessKeyDetails: { userName: user } } },
    { remote_ip: remote, region: 'us-east-1' },
  ),
);

export function reputationsOf(address: string): readonly SourceRecord[] {
  return REPUTATIONS.filter(({ ip }) => ip === address).map(({ ip, score, country, tor }) =>
    recordOf({ abuseConfidenceScore: score, countryCode: country, isTor: tor, isPublic: !isPrivate(ip) }),
  );
}

function scoreSince(score: number | null, since: number): number | null {
  return score === null ? null : score + since;
}

export function reputationsSince(address: string, since: string): readonly SourceRecord[] {
  const days = SINCE.find((each) => String(each) === since);
  return REPUTATIONS.filter(({ ip }) => ip === address && days !== undefined).map(({ score, country }) =>
    recordOf({ country, score: scoreSince(score, days ?? 0) }),
  );
}

export function peopleOf(name: string): readonly SourceRecord[] {
  return PEOPLE.filter((person) => person.name === name).map((person) => recordOf(person));
}

function literal(value: string | number | boolean | object | null | undefined): string {
  if (value === null || value === undefined) return 'null';
  return typeof value === 'object' ? literal(JSON.stringify(value)) : `'${String(value).replaceAll("'", "''")}'`;
}

function rows(all: readonly (readonly Parameters<typeof literal>[0][])[]): string {
  return all.map((row) => `(${row.map((value) => literal(value)).join(', ')})`).join(',\n');
}

/** A table whose key is a text: people by their names. */
export const DECLARATIONS = `
  create foreign table source.user_directory (
    user_name text options (key 'required', operators '=', path '@user_name') not null,
    manager text options (path 'manager'),
    department text options (path 'department'),
    job_level integer options (path 'level'),
    home inet options (path 'home')
  ) server trailhound options (source 'user_directory', kind 'lookup', ttl '24 hours', schema_name 'public');
  create foreign table source.reputation_since (
    ip_address inet options (key 'required', operators '=', path '@ip_address') not null,
    since integer options (key 'input', operators '=', path '@since', default '1'),
    country text options (path 'country'),
    score integer options (path 'score')
  ) server trailhound options (source 'reputation_since', kind 'lookup', ttl '24 hours', schema_name 'public');
  create view public.reputation_since as select * from source.reputation_since;
  create view public.user_directory as select * from source.user_directory;
  grant select on public.reputation_since, public.user_directory to trailhound, trailhound_loopback;`;

/** What is local, in the virtual world and in the plain one alike. */
const LOCAL = `
  create table public.watchlist (address inet, note text);
  insert into public.watchlist values ('34.1.1.1', 'known'), ('34.1.1.77', 'rumour'), (null, 'none'), ('34.1.1.1', 'user1');
  create table public.suspect (ip text, who text, weight int);
  insert into public.suspect values ('34.1.1.3', 'user0', 20), ('034.001.001.009', 'user1', 1), ('none', null, 0),
    ('34.1.1.0/24', 'user9', 20), ('2600:1f18:0:0::7', 'NL', null), (null, 'user3', 1), (' 34.1.1.4', 'user0', 3);
  create table public.nobody (ip_address inet, user_name text);
  create table public.bundle (id int, ips inet[], names text[], doc jsonb);
  insert into public.bundle values
    (1, '{34.1.1.1,34.1.1.9,null}', '{user1,null,none}', '{"ip": "34.1.1.4", "list": ["34.1.1.1", "x", null]}'),
    (2, '{}', '{}', '{"ip": null, "list": []}'), (3, null, null, null),
    (4, '{34.1.1.0/24,34.1.1.3}', '{user0,34.1.1.2}', '{"list": ["34.1.1.2", "34.1.1.2"]}');
  create view public.watched as select address, note from public.watchlist where note <> 'rumour';
  create view public.watched_twice as select address as ip_address, count(*)::int as n from public.watched group by address;`;

const GRANTS = `
  create schema mine;
  grant usage, create on schema mine to public;
  grant usage on schema plain to public;
  grant select on all tables in schema plain to public;
  grant select on public.watchlist, public.suspect, public.nobody, public.bundle, public.watched, public.watched_twice to public;`;

export const SESSION = `
  create temp table seen (ip inet, user_name text);
  insert into seen values ('34.1.1.2', 'user2'), ('34.1.1.200', 'user0'), (null, null);
  create temp table scratch (ip inet, word text, n int, flag boolean);
  insert into scratch values ('34.1.1.1', 'user1', 1, true), ('34.1.1.3', 'NL', 20, false), (null, null, null, null), ('34.1.1.77', 'user4', 3, null);`;

/** The virtual tables' rows under the same names in schema `plain`, and what is local to both. */
export const PLAIN = `
  create schema plain;
  create table plain.cloudtrail_trail_event (like public.cloudtrail_trail_event);
  insert into plain.cloudtrail_trail_event
    (event_id, event_name, event_source, event_time, source_ip_address, source_ip, error_code, read_only, username, user_type,
     aws_region, request_parameters, log_group_name, region, connection_name)
  values ${rows(
    EVENTS.map((event) => [
      event.eventID,
      event.eventName,
      event.eventSource,
      event.eventTime,
      event.sourceIPAddress,
      event.sourceIPAddress === null ? null : CANONICAL.get(event.sourceIPAddress),
      event.errorCode,
      event.readOnly,
      event.userIdentity.userName,
      event.userIdentity.type,
      event.awsRegion,
      event.requestParameters,
      'trail',
      'us-east-1',
      'aws',
    ]),
  )};
  create table plain.guardduty_finding (like public.guardduty_finding);
  insert into plain.guardduty_finding (id, type, severity, remote_ip, user_name, region) values ${rows(
    FINDINGS.map(({ id, type, severity, remote, user }) => [id, type, severity, remote, user, 'us-east-1']),
  )};
  create table plain.abuseipdb_check_ip (like public.abuseipdb_check_ip);
  insert into plain.abuseipdb_check_ip
    (ip_address, max_age_in_days, abuse_confidence_score, country_code, is_tor, is_public)
  values ${rows(REPUTATIONS.map(({ ip, score, country, tor }) => [ip, 90, score, country, tor, !isPrivate(ip)]))};
  create table plain.user_directory (like public.user_directory);
  insert into plain.user_directory values ${rows(
    PEOPLE.map(({ name, manager, department, level, home }) => [name, manager, department, level, home]),
  )};
  create table plain.reputation_since (like public.reputation_since);
  insert into plain.reputation_since values ${rows(
    SINCE.flatMap((since) =>
      REPUTATIONS.map(({ ip, score, country }) => [ip, since, country, scoreSince(score, since)]),
    ),
  )};
  ${LOCAL}
  ${GRANTS}`;
