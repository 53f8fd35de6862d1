import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Client } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { selfSignedCertificate } from '../../../src/session/tls.ts';
import { startForeignServer } from '../../engine/support/foreign-server.ts';
import { removeTemporaryDirectories, temporaryDirectory } from '../../engine/support/temporary-directory.ts';
import { EVENTS, incident } from '../../roads/support/incident.ts';
import { API_KEY, LOG_GROUP, openRoad, type Road } from '../../roads/support/road.ts';
import { NETWORK, REPORTED, SILENT } from './checks.ts';

/** Through us, or to a PostgreSQL of the same version that has what we answer as plain tables. */
export type Side = 'through' | 'directly';

export interface Target {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** PEM, of the authority that a client trusts. */
  readonly authority: string;
  /** PEM, of one that knows neither server. */
  readonly stranger: string;
}

export interface Sides extends Readonly<Record<Side, Target>> {
  close(): Promise<void>;
}

const USER = 'trailhound';
const DATABASE = 'trailhound';

/** What plain tables are filled with: all that the checks ask for. */
const BOUNDS: Readonly<Record<string, string>> = {
  abuseipdb_blacklist: 'confidence_minimum = 90',
  abuseipdb_check_cidr: `cidr = '${NETWORK}'`,
  abuseipdb_check_ip: 'ip_address in (select source_ip from cloudtrail_trail_event)',
  abuseipdb_report: `ip_address = '${REPORTED}'`,
};

const TRAILS = [
  { name: 'management', homeRegion: 'us-east-1', logGroupName: LOG_GROUP },
  { name: 'unread', homeRegion: 'us-east-1', s3BucketName: 'evidence', isLogging: false },
];

export async function openSides(): Promise<Sides> {
  const world = incident();
  const directory = await temporaryDirectory();
  const own = await selfSignedCertificate(['localhost']);
  const other = await selfSignedCertificate(['localhost']);
  const file = async (name: string, content: string) => {
    await writeFile(join(directory, name), content);
    return join(directory, name);
  };
  const [cert, key, stranger] = [
    await file('cert.pem', own.cert),
    await file('key.pem', own.key),
    await file('stranger.pem', other.cert),
  ];
  await file('evidence.json', JSON.stringify({ Records: EVENTS.slice(0, 8) }));
  const [road, foreign] = await Promise.all([
    openRoad({
      simulator: { world: { ...world, accounts: world.accounts.map((account) => ({ ...account, trails: TRAILS })) } },
      yaml: (simulator) =>
        [
          'connections:',
          `  aws: { endpoint_url: "${simulator.url}", requests_per_second: 100, lookup_requests_per_second: 100, regions: [us-east-1], log_groups: ["${LOG_GROUP}"] }`,
          `  abuseipdb: { url: "${simulator.abuseipdbUrl}", api_key: ${API_KEY} }`,
          `  evidence: { kind: files, paths: ["${directory}/evidence.json"] }`,
          `listen: { tls: { cert: "${cert}", key: "${key}" } }`,
        ].join('\n'),
    }),
    startForeignServer({ tls: true }),
  ]);
  road.simulator.fault({ service: 'abuseipdb', key: SILENT, times: Infinity, effect: { kind: 'hang' } });
  const login = { user: USER, password: road.endpoint.password, database: DATABASE, stranger };
  const superuser = { host: '127.0.0.1', port: foreign.port, user: 'postgres', password: foreign.password };
  await copyTables(road, superuser);
  return {
    through: { ...login, port: road.endpoint.port, authority: cert },
    directly: { ...login, port: foreign.port, authority: foreign.certificateFile! },
    close: async () => {
      await road.close();
      await foreign.stop();
      await removeTemporaryDirectories();
    },
  };
}

/** Our views with their comments, over tables in place of foreign ones. */
async function copyTables(road: Road, superuser: object): Promise<void> {
  const postgres = new Client({ ...superuser, database: 'postgres' });
  await postgres.connect();
  await postgres.query(`create role ${USER} login password '${road.endpoint.password}'`);
  await postgres.query(`create database ${DATABASE} owner ${USER}`);
  await postgres.end();
  const plain = new Client({ ...superuser, database: DATABASE });
  await plain.connect();
  const ours = await road.connect();
  await plain.query('create schema source; alter database trailhound set timezone = utc');
  const { rows: tables } = await ours.query<{ name: string; definition: string; comments: string }>(`
    select relname as name,
      (select string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' order by attnum)
       from pg_attribute where attrelid = c.oid and attnum > 0) as definition,
      format('comment on view public.%I is %L;', relname, obj_description(c.oid)) ||
      (select string_agg(format('comment on column public.%I.%I is %L', relname, attname, col_description(attrelid, attnum)), ';')
       from pg_attribute where attrelid = c.oid and attnum > 0) as comments
    from pg_class c where relnamespace = 'public'::regnamespace and relkind = 'v' order by 1`);
  for (const { name, definition, comments } of tables) {
    await plain.query(`create table source.${name} (${definition})`);
    await plain.query(`create view public.${name} as select * from source.${name}; ${comments}`);
    const rows = `copy (select * from ${name} where ${BOUNDS[name] ?? 'true'}) to stdout`;
    await pipeline(ours.query(copyTo(rows)), plain.query(copyFrom(`copy source.${name} from stdin`)));
  }
  await plain.query(`grant select on all tables in schema public to ${USER}`);
  await plain.end();
  await ours.end();
}
