import { readdir, readFile, stat } from 'node:fs/promises';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Client } from '../../src/engine/client.ts';
import { startSimulator, type Simulator } from '../../src/simulator/simulator.ts';
import { CliProcess } from '../cli/support/cli.ts';
import { removeTemporaryDirectories, temporaryDirectory } from '../engine/support/temporary-directory.ts';
import { incident } from './support/incident.ts';
import { LOG_GROUP, textRows } from './support/road.ts';

/** No API key, password or credential in any message, log, EXPLAIN, catalog or metric, however talkative the server is. */

const SECRETS = {
  ABUSEIPDB_API_KEY: 'made-up-key-0123456789',
  AWS_SECRET_ACCESS_KEY: 'made-up-secret-0123456789',
  AWS_SESSION_TOKEN: 'made-up-token-0123456789',
  TRAILHOUND_PASSWORD: 'made-up-password-0123456789',
};

let simulator: Simulator;
let server: CliProcess;
let client: Client;
let dataDir: string;
let httpPort: number;
const heard: string[] = [];

beforeAll(async () => {
  simulator = await startSimulator({
    world: { ...incident(), abuseipdb: { apiKeys: [SECRETS.ABUSEIPDB_API_KEY] } },
  });
  const cwd = await temporaryDirectory();
  dataDir = join(cwd, 'data');
  writeFileSync(
    join(cwd, 'trailhound.yaml'),
    `connections:
  aws: { endpoint_url: "${simulator.url}", regions: [us-east-1], log_groups: ["${LOG_GROUP}"] }
  abuseipdb: { url: "${simulator.abuseipdbUrl}" }`,
  );
  server = new CliProcess(['serve', '--port', '0', '--http-port', '0', '--data-dir', dataDir, '--log-level', 'trace'], {
    cwd,
    env: { ...SECRETS, AWS_ACCESS_KEY_ID: 'AKIAMADEUPMADEUPMADE' },
  });
  const [, port] = await server.waitFor('stdout', /^ready: postgres:\/\/trailhound@127\.0\.0\.1:(\d+)\/trailhound\n/);
  const running = JSON.parse(await readFile(join(dataDir, 'server.json'), 'utf8')) as { httpPort: number };
  httpPort = running.httpPort;
  client = new Client({
    host: '127.0.0.1',
    port: Number(port),
    database: 'trailhound',
    user: 'trailhound',
    password: SECRETS.TRAILHOUND_PASSWORD,
  });
  client.on('notice', (notice) => heard.push(JSON.stringify(notice)));
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await server.stop();
  await simulator.close();
  await removeTemporaryDirectories();
});

function expectNoSecret(where: string, text: string): void {
  for (const [name, secret] of Object.entries(SECRETS))
    expect(text.includes(secret), `${name} in ${where}`).toBe(false);
}

async function ask(statement: string): Promise<void> {
  try {
    heard.push(JSON.stringify((await client.query(statement)).rows));
  } catch (error) {
    heard.push(JSON.stringify(error, Object.getOwnPropertyNames(error)));
  }
}

test('nothing that statements say, with every service failing in every way', async () => {
  const lookup = `select * from abuseipdb_check_ip where ip_address = '185.220.101.34'`;
  const scan = 'select * from cloudtrail_trail_event';
  await client.query('set trailhound.progress = on; set trailhound.partial = on');
  for (const effect of [
    { kind: 'error', status: 401 },
    { kind: 'error', status: 422 },
    { kind: 'html' },
    { kind: 'invalid_json' },
    { kind: 'throttle', retryAfterSeconds: 9_999 },
  ] as const) {
    simulator.fault({ service: 'abuseipdb', effect });
    await ask(lookup);
  }
  for (const code of [
    'AccessDeniedException',
    'InvalidSignatureException',
    'ExpiredTokenException',
    'UnrecognizedClientException',
  ]) {
    const message = `The request signature does not match. Canonical string: x-amz-security-token:${SECRETS.AWS_SESSION_TOKEN}`;
    simulator.fault({ service: 'logs', effect: { kind: 'error', status: 403, code, message } });
    await ask(scan);
  }
  simulator.clearFaults();
  await ask(lookup);
  await ask(scan);
  await ask(`explain (analyze, verbose, settings) ${lookup}`);
  await ask('select * from abuseipdb_check_ip');
  expect(heard.length).toBeGreaterThan(12);
  expectNoSecret('what a client is told', heard.join('\n'));
});

test('nothing in the catalogs that its owner can read', async () => {
  for (const query of [
    'select * from pg_settings',
    'select * from pg_stat_activity',
    'select * from pg_foreign_server',
    'select * from pg_foreign_table',
    'select * from pg_user_mappings',
    'select * from pg_db_role_setting',
    'select * from pg_roles',
    'select * from pg_prepared_statements',
    `select pg_get_viewdef(oid) from pg_class where relkind = 'v' and relnamespace = 'public'::regnamespace`,
  ]) {
    expectNoSecret(query, JSON.stringify(await textRows(client, query)));
  }
});

test('nothing in metrics', async () => {
  const metrics = await (await fetch(`http://127.0.0.1:${String(httpPort)}/metrics`)).text();
  expect(metrics).toMatch(/abuseipdb/);
  expectNoSecret('/metrics', metrics);
});

test('nothing in what the server logs, nor in files that others may read', async () => {
  expectNoSecret('the log', server.stdout + server.stderr);
  for (const entry of await readdir(dataDir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const { mode } = await stat(file);
    if (['password', 'pgpass'].includes(entry.name)) expect(mode & 0o077, file).toBe(0);
    else expectNoSecret(file, await readFile(file, 'latin1'));
  }
});
