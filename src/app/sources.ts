import { abuseipdbBlacklistSource } from '../sources/abuseipdb/blacklist-source.ts';
import { abuseipdbCategorySource } from '../sources/abuseipdb/category-source.ts';
import { abuseipdbCheckBlockSource } from '../sources/abuseipdb/check-block-source.ts';
import { abuseipdbCheckSource } from '../sources/abuseipdb/check-source.ts';
import { AbuseipdbClient } from '../sources/abuseipdb/client.ts';
import { abuseipdbReportsSource } from '../sources/abuseipdb/reports-source.ts';
import { cloudtrailLookupSource } from '../sources/aws/cloudtrail/lookup-source.ts';
import { cloudtrailTrailSource } from '../sources/aws/cloudtrail/trail-source.ts';
import { cloudwatchLogsSource } from '../sources/aws/cloudwatch-logs/source.ts';
import type { AwsConnectionConfig } from '../sources/aws/connection-config.ts';
import { createAwsConnection, type AwsConnection } from '../sources/aws/connection.ts';
import { guarddutyDetectorSource } from '../sources/aws/guardduty/detector-source.ts';
import { guarddutyFindingSource } from '../sources/aws/guardduty/finding-source.ts';
import { s3ObjectStore } from '../sources/aws/s3/object-store.ts';
import type { HttpClient } from '../sources/http/client.ts';
import type { Resolve } from '../sources/http/guarded-connector.ts';
import type { FilesConnection } from '../sources/files/connection.ts';
import { filesSource } from '../sources/files/source.ts';
import type { ObjectStore } from '../sources/object-store.ts';
import type { Source } from '../sources/source.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import type { Config } from './config/load.ts';
import { createHttpClients } from './http-clients.ts';

export interface Sources {
  /** By the name that `schema/*.sql` gives a table's source. */
  readonly byName: Map<string, Source>;
  /** By the connection's name: for tables made by SQL. */
  readonly http: ReadonlyMap<string, HttpClient>;
  readonly aws: readonly AwsConnection[];
  close(): Promise<void>;
}

/** What only the demo and tests say of connections: no file may hold credentials of AWS. */
export type AwsOverrides = Pick<AwsConnectionConfig, 'credentials' | 'region'>;

/** Every source that exists, over the connections that are configured. Nothing is resolved or called yet. */
export function createSources(config: Config, overrides: AwsOverrides = {}, resolve?: Resolve): Sources {
  const connections = Object.entries(config.connections);
  const { awsProfile: environmentProfile } = config;
  const aws = connections.flatMap(([name, connection]) =>
    connection.kind === 'aws' ? [createAwsConnection({ ...connection, name, environmentProfile, ...overrides })] : [],
  );
  const abuseipdb = connections.flatMap(([name, connection]) =>
    connection.kind === 'abuseipdb' ? [{ ...connection, name }] : [],
  );
  const [account, second] = abuseipdb;
  if (account === undefined || second !== undefined) {
    throw new TrailhoundError(
      'configuration',
      `${config.origin(['connections'])}: one connection of kind abuseipdb is needed, there are ${abuseipdb.length}`,
      {
        hint: 'Keep one: a look-up cannot be answered by two accounts.',
      },
    );
  }
  const files = connections.flatMap(([name, connection]) =>
    connection.kind === 'files' ? [{ ...connection, name }] : [],
  );
  const bucketReaders: AwsConnection[] = [];
  const buckets = ({ name }: FilesConnection): ObjectStore => {
    const connection = config.connections[name];
    const reader = createAwsConnection({
      ...(connection?.kind === 'files' && connection),
      name,
      environmentProfile,
      ...overrides,
    });
    bucketReaders.push(reader);
    return s3ObjectStore(reader);
  };
  const client = new AbuseipdbClient(account);
  const http = createHttpClients(config, resolve);
  const byName = new Map<string, Source>([
    ['cloudtrail_lookup', cloudtrailLookupSource(aws)],
    ['cloudtrail_trail', cloudtrailTrailSource(aws)],
    ['cloudwatch_logs', cloudwatchLogsSource(aws)],
    ['files', filesSource(files, buckets)],
    ['guardduty_detector', guarddutyDetectorSource(aws)],
    ['guardduty_finding', guarddutyFindingSource(aws)],
    ['abuseipdb_blacklist', abuseipdbBlacklistSource(client)],
    ['abuseipdb_category', abuseipdbCategorySource()],
    ['abuseipdb_check', abuseipdbCheckSource(client)],
    ['abuseipdb_check_block', abuseipdbCheckBlockSource(client)],
    ['abuseipdb_reports', abuseipdbReportsSource(client)],
  ]);
  return {
    byName,
    http,
    aws,
    close: async () => {
      await Promise.all([...byName.values()].map((source) => source.close()));
      await Promise.all([...http.values()].map((own) => own.close()));
      for (const connection of [...aws, ...bucketReaders]) connection.close();
    },
  };
}
