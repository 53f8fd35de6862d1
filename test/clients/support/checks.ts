import type { Side } from './sides.ts';

/**
 * What a program does with a check, each in its client's own way:
 *
 *     rows        runs the statement; rows of it
 *     prepared    runs it as a prepared statement, ten times with the values in turn
 *     long        reads it row by row; how many, and the sum of the last column
 *     error       runs it; its SQLSTATE and message, and that the session goes on
 *     cancel      runs it, and cancels it once its backend is seen to sleep
 *     timeout     runs it under a statement_timeout of a second
 *     terminated  another session ends this one's backend; what the next statement says; the statement over a new connection
 *     tls         runs it over TLS, the certificate verified with the host's name
 *     untrusted   connects over TLS, with the certificate of another authority
 *     read-only   runs it in a REPEATABLE READ READ ONLY transaction, then an INSERT
 *     copy-out    COPY … TO STDOUT; its lines
 *     copy-in     the values by COPY into `watch (address inet)`, then the statement
 *     catalog     lists tables and columns by functions of the client
 */
export type Kind =
  | 'rows'
  | 'prepared'
  | 'long'
  | 'error'
  | 'cancel'
  | 'timeout'
  | 'terminated'
  | 'tls'
  | 'untrusted'
  | 'read-only'
  | 'copy-out'
  | 'copy-in'
  | 'catalog';

export interface Check {
  readonly name: string;
  readonly kind: Kind;
  /** Parameters are `$1`, each once and in order. */
  readonly sql: string | Readonly<Record<Side, string>>;
  readonly values?: readonly string[];
  /** Where plain tables cannot say what is right: a part of what we must answer. */
  readonly expected?: Readonly<Record<string, unknown>>;
}

/** Of which the simulated service says nothing, ever. */
export const SILENT = '185.12.0.66';
export const REPORTED = '45.83.12.7';
export const NETWORK = '45.83.12.0/24';

const join = (address: string, more = '') =>
  `select e.event_id, e.source_ip_address, a.abuse_confidence_score, a.country_code, a.is_public, a.last_reported_at
   from cloudtrail_trail_event e join abuseipdb_check_ip a on a.ip_address = ${address}
   where e.event_name = 'CreateUser' ${more} order by 1`;
/** The address as text, as CloudTrail writes it: plain tables have no such operator. */
const JOIN = { through: join('e.source_ip_address'), directly: join('e.source_ip') };
const ONE = 'select title from abuseipdb_category where id = 3';
const UNANSWERED = {
  through: `select * from abuseipdb_check_ip where ip_address = '${SILENT}'`,
  directly: 'select pg_sleep(600)',
};

const everyColumn = (table: string, order: string, where = 'true') =>
  ({
    name: `every column of ${table}`,
    kind: 'rows',
    sql: `select * from ${table} where ${where} order by ${order} limit 4`,
  }) as const;

/** The same for every client. */
export const CHECKS: readonly Check[] = [
  { name: 'the join', kind: 'rows', sql: JOIN },
  {
    name: 'an outer join with NULLs',
    kind: 'rows',
    sql: `select e.event_id, e.source_ip, e.request_parameters, e.read_only, a.abuse_confidence_score, a.hostnames
          from cloudtrail_trail_event e left join abuseipdb_check_ip a on a.ip_address = e.source_ip
          order by a.abuse_confidence_score nulls first, e.event_id limit 25`,
  },
  { name: 'no rows', kind: 'rows', sql: `select id, title from abuseipdb_category where id = -1` },
  {
    name: 'the columns, as information_schema has them',
    kind: 'rows',
    sql: `select table_name, column_name, data_type, is_nullable,
            col_description(format('%I.%I', table_schema, table_name)::regclass, ordinal_position::int)
          from information_schema.columns where table_schema = 'public' order by table_name, ordinal_position`,
  },
  everyColumn('abuseipdb_blacklist', 'ip_address', 'confidence_minimum = 90'),
  everyColumn('abuseipdb_category', 'id'),
  everyColumn('abuseipdb_check_cidr', 'ip_address', `cidr = '${NETWORK}'`),
  everyColumn('abuseipdb_check_ip', 'ip_address', `ip_address in ('${REPORTED}', '91.240.118.3', '2a00:1450::8a')`),
  everyColumn('abuseipdb_report', 'reported_at', `ip_address = '${REPORTED}'`),
  everyColumn('cloudtrail_file_event', 'event_id'),
  everyColumn('cloudtrail_lookup_event', 'event_id'),
  everyColumn('cloudtrail_trail', 'name'),
  everyColumn('cloudtrail_trail_event', 'event_id'),
  everyColumn('guardduty_detector', 'detector_id'),
  everyColumn('guardduty_finding', 'id'),
  {
    name: 'the join, prepared',
    kind: 'prepared',
    sql: {
      through: join('e.source_ip_address', 'and e.username = $1'),
      directly: join('e.source_ip', 'and e.username = $1'),
    },
    values: ['user-0', 'user-1', 'nobody'],
  },
  {
    name: 'a key, prepared',
    kind: 'prepared',
    sql: 'select ip_address, abuse_confidence_score from abuseipdb_check_ip where ip_address = $1',
    values: [REPORTED, '91.240.118.3'],
  },
  {
    name: '100,000 rows',
    kind: 'long',
    sql: `select e.event_id, e.user_agent, n from (select event_id, user_agent from cloudtrail_trail_event order by 1 limit 100) e
          cross join generate_series(1, 1000) n`,
  },
  { name: 'a misspelt column', kind: 'error', sql: 'select nope from guardduty_finding' },
  { name: 'a division by zero', kind: 'error', sql: 'select 1 / (severity - severity)::int from guardduty_finding' },
  {
    name: 'a key that nothing bounds',
    kind: 'error',
    sql: { through: 'select * from abuseipdb_check_ip', directly: 'select 1/0' },
    expected: { error: { code: 'HV002' }, after: '1' },
  },
  { name: 'a cancel', kind: 'cancel', sql: UNANSWERED },
  { name: 'statement_timeout', kind: 'timeout', sql: UNANSWERED },
  { name: 'a backend that is terminated, and a new connection', kind: 'terminated', sql: ONE },
  { name: 'TLS', kind: 'tls', sql: ONE },
  { name: 'a certificate of nobody', kind: 'untrusted', sql: ONE },
  { name: 'a read-only transaction', kind: 'read-only', sql: JOIN },
  {
    name: 'COPY out',
    kind: 'copy-out',
    sql: { through: `copy (${JOIN.through}) to stdout`, directly: `copy (${JOIN.directly}) to stdout` },
  },
  {
    name: 'COPY in, and keys from there',
    kind: 'copy-in',
    sql: 'select w.address, a.abuse_confidence_score from watch w join abuseipdb_check_ip a on a.ip_address = w.address order by 1',
    values: [REPORTED, '91.240.118.3'],
  },
  { name: 'tables and columns by the client', kind: 'catalog', sql: '' },
];
