import type { SourceRecord } from '../../../src/sources/source.ts';
import { recordOf } from './fake-sources.ts';

/** A small incident, whole: what the sources hold, and the same rows for PostgreSQL's plain tables. */

const ADDRESSES = [
  '34.1.1.1',
  '34.1.1.2',
  '34.1.1.3',
  'cloudformation.amazonaws.com',
  null,
  'AWS Internal',
  '034.001.001.002',
  '10.0.0.1',
  '2600:1f18::7',
  '34.1.1.2',
] as const;
const NAMES = ['CreateUser', 'ListBuckets', 'ConsoleLogin', 'GetObject'] as const;

/** Newest first, an hour apart; the last ones lack a time and a user. */
const EVENTS = Array.from({ length: 60 }, (_value, index) => ({
  eventID: `e${String(index).padStart(2, '0')}`,
  eventName: NAMES[index % NAMES.length],
  eventSource: index % 3 === 0 ? 'iam.amazonaws.com' : 's3.amazonaws.com',
  ...(index < 57 ? { eventTime: new Date(Date.UTC(2026, 10, 20) - index * 3_600_000).toISOString() } : {}),
  sourceIPAddress: ADDRESSES[(index * 7) % ADDRESSES.length] ?? null,
  ...(index % 11 === 0 ? { errorCode: 'AccessDenied' } : {}),
  userIdentity: index % 13 === 12 ? { type: 'AWSService' } : { type: 'IAMUser', userName: `user${String(index % 5)}` },
  awsRegion: index % 2 === 0 ? 'us-east-1' : 'eu-west-1',
}));

const FINDINGS = [
  { id: 'f1', type: 'UnauthorizedAccess:IAMUser/MaliciousIPCaller', severity: 5, remote: '34.1.1.3' },
  { id: 'f2', type: 'CryptoCurrency:EC2/BitcoinTool.B', severity: 8, remote: '34.1.1.9' },
  { id: 'f3', type: 'Policy:IAMUser/RootCredentialUsage', severity: 2, remote: null },
];

/** Every address that AbuseIPDB is ever asked for here, and some that nothing mentions. */
const UNIVERSE = ['34.1.1.1', '34.1.1.2', '34.1.1.3', '34.1.1.9', '34.1.1.77', '10.0.0.1', '2600:1f18::7'];

export function isPrivate(address: string): boolean {
  return address.startsWith('10.');
}

export function reputation(address: string): {
  abuseConfidenceScore: number;
  countryCode: string | null;
  isTor: boolean;
  isPublic: boolean;
} {
  const digit = Number(address.at(-1));
  return {
    abuseConfidenceScore: isPrivate(address) ? 0 : digit * 11,
    countryCode: digit % 2 === 0 ? 'NL' : null,
    isTor: digit === 3,
    isPublic: !isPrivate(address),
  };
}

export function eventRecords(events: number): SourceRecord[] {
  return chosen(events).map((event) =>
    recordOf(event, { log_group_name: 'trail', region: 'us-east-1', connection_name: 'aws' }),
  );
}

/** The first ones, and the last one, which lacks a time. */
function chosen(events: number): typeof EVENTS {
  return events >= EVENTS.length ? EVENTS : [...EVENTS.slice(0, events - 1), ...EVENTS.slice(-1)];
}

export const findingRecords = FINDINGS.map(({ remote, ...finding }) =>
  recordOf(finding, { remote_ip: remote, region: 'us-east-1' }),
);

/** INSERTs of the same rows, computed from the incident itself: not by the code under test. */
export function plainTables(count: number): string {
  const text = (value: string | boolean | null | undefined): string =>
    value === null || value === undefined ? 'null' : `'${String(value)}'`;
  const events = chosen(count).map((event) => {
    const user = event.userIdentity;
    const values = [
      event.eventID,
      event.eventName,
      event.eventSource,
      event.eventTime,
      event.sourceIPAddress,
      event.errorCode,
    ];
    return `(${[...values, user.userName, user.type, event.awsRegion, JSON.stringify(user), JSON.stringify(event)].map(text).join(',')}, pg_catalog.try_inet(${text(event.sourceIPAddress)}), 'trail', 'us-east-1')`;
  });
  const findings = FINDINGS.map(
    ({ id, type, severity, remote }) => `('${id}','${type}',${String(severity)},${text(remote)})`,
  );
  const reputations = UNIVERSE.map((address) => {
    const { abuseConfidenceScore, countryCode, isTor, isPublic } = reputation(address);
    return `('${address}', 90, ${String(abuseConfidenceScore)}, ${text(countryCode)}, ${String(isTor)}, ${String(isPublic)})`;
  });
  return `
    create schema plain;
    create table plain.cloudtrail_trail_event (like public.cloudtrail_trail_event);
    insert into plain.cloudtrail_trail_event
      (event_id, event_name, event_source, event_time, source_ip_address, error_code, username, user_type, aws_region, user_identity, cloudtrail_event, source_ip, log_group_name, region)
      values ${events.join(',')};
    create table plain.guardduty_finding (like public.guardduty_finding);
    insert into plain.guardduty_finding (id, type, severity, remote_ip) values ${findings.join(',')};
    create table plain.abuseipdb_check_ip (like public.abuseipdb_check_ip);
    insert into plain.abuseipdb_check_ip (ip_address, max_age_in_days, abuse_confidence_score, country_code, is_tor, is_public)
      values ${reputations.join(',')};
    create table public.watchlist (address inet, note text);
    insert into public.watchlist values ('34.1.1.1', 'known'), ('34.1.1.77', 'rumour'), (null, 'none');
    create schema evil;
    grant usage, create on schema evil to public;
    grant usage on schema plain to public;
    grant select on all tables in schema plain to public;
    grant select on public.watchlist to public;`;
}
