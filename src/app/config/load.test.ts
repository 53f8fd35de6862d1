import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TrailhoundError } from '../../kernel/errors.ts';
import { loadConfig, type Config } from './load.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'trailhound-config-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function load(yaml: string | undefined, environment: Record<string, string> = {}, options = {}): Config {
  if (yaml !== undefined) writeFileSync(path.join(directory, 'trailhound.yaml'), yaml);
  return loadConfig({ directory, environment, options });
}

function failure(...input: Parameters<typeof load>): TrailhoundError {
  try {
    load(...input);
  } catch (error) {
    if (error instanceof TrailhoundError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

describe('layers', () => {
  it('needs no file: loopback, the default ports, one connection of each served kind', () => {
    const config = load(undefined);
    expect(config.listen).toEqual({
      host: '127.0.0.1',
      port: 9432,
      httpPort: 9433,
      tls: 'auto',
      maxConnections: 100,
      maxConnectionsPerAddress: undefined,
      logInTimeoutMs: 60_000,
    });
    expect(config.connections).toMatchObject({
      aws: { kind: 'aws' },
      abuseipdb: { kind: 'abuseipdb', apiKey: undefined, url: 'https://api.abuseipdb.com/api/v2' },
    });
  });

  it('lets the environment win over the file, and options over both', () => {
    const yaml = 'listen: { host: 10.0.0.1, port: 1, http_port: 2 }';
    const config = load(yaml, { TRAILHOUND_PORT: '3', TRAILHOUND_HTTP_PORT: '4' }, { httpPort: '5' });
    expect(config.listen).toMatchObject({ host: '10.0.0.1', port: 3, httpPort: 5 });
  });

  it('takes an empty variable for one that is not set', () => {
    expect(load('listen: { port: 1 }', { TRAILHOUND_PORT: '', TRAILHOUND_CONFIG: '' }).listen.port).toBe(1);
  });

  it('reads the file that --config or TRAILHOUND_CONFIG names', () => {
    writeFileSync(path.join(directory, 'a.yaml'), 'log_level: debug');
    writeFileSync(path.join(directory, 'b.yaml'), 'log_level: error');
    expect(load('log_level: info', { TRAILHOUND_CONFIG: 'a.yaml' }).logLevel).toBe('debug');
    expect(load(undefined, { TRAILHOUND_CONFIG: 'a.yaml' }, { config: 'b.yaml' }).logLevel).toBe('error');
  });

  it('reads durations, sizes, ~ and paths relative to the file', () => {
    const config = load(
      'data_dir: ~/hunting\ncache: { max_bytes: 512MiB, tables: { a: 24h, b: 5min } }\nhunts: { paths: [./mine] }',
    );
    expect(config.dataDir).toBe(path.join(os.homedir(), 'hunting'));
    expect(config.cache).toEqual({ maxBytes: 512 * 1024 * 1024, ttlMsByTable: { a: 86_400_000, b: 300_000 } });
    expect(config.hunts.paths).toEqual([path.join(directory, 'mine')]);
  });

  it('takes more requests a second for an account whose quota AWS has raised', () => {
    const config = load('connections: { aws: { requests_per_second: 25 } }');
    expect(config.connections.aws).toMatchObject({ requestsPerSecond: 25 });
    const { message } = failure('connections:\n  aws: { requests_per_second: 0 }');
    expect(message).toMatch(/trailhound.yaml:2:\d+: connections.aws.requests_per_second: expected more than 0$/);
  });

  it('does not follow the file for a path that an option gives', () => {
    writeFileSync(path.join(directory, 'a.yaml'), 'log_level: debug');
    const config = load(undefined, {}, { config: path.join(directory, 'a.yaml'), dataDir: 'here' });
    expect(config.dataDir).toBe(path.join(directory, 'here'));
  });
});

describe('connections', () => {
  it('keeps the default connection of each kind that the file does not configure', () => {
    const config = load('connections: { audit: { kind: aws, profile: audit } }', { ABUSEIPDB_API_KEY: 'k' });
    expect(Object.keys(config.connections)).toEqual(['audit', 'abuseipdb']);
    expect(config.connections.abuseipdb).toMatchObject({ apiKey: 'k' });
  });

  it('takes the kind from the name where the name is a kind', () => {
    expect(load('connections: { abuseipdb: { api_key: x } }').connections.abuseipdb).toMatchObject({ apiKey: 'x' });
    expect(load('connections:\n  aws:\n').connections.aws).toMatchObject({ kind: 'aws' });
  });

  it('lets ABUSEIPDB_API_KEY win for the connection of that name and fill in others', () => {
    const yaml =
      'connections: { abuseipdb: { api_key: a }, b: { kind: abuseipdb, api_key: b }, c: { kind: abuseipdb } }';
    expect(load(yaml, { ABUSEIPDB_API_KEY: 'env' }).connections).toMatchObject({
      abuseipdb: { apiKey: 'env' },
      b: { apiKey: 'b' },
      c: { apiKey: 'env' },
    });
  });

  it('reads the paths of files as relative to the file, and leaves buckets and the end of a folder as they are', () => {
    const paths = '[./evidence/**/*.json.gz, ~/case/, /cases/7, "s3://bucket/prefix/"]';
    const config = load(`connections: { evidence: { kind: files, paths: ${paths}, delivery_slack: none } }`);
    expect(config.connections.evidence).toEqual({
      kind: 'files',
      paths: [
        path.join(directory, 'evidence/**/*.json.gz'),
        `${path.join(os.homedir(), 'case')}/`,
        '/cases/7',
        's3://bucket/prefix/',
      ],
      deliverySlackMs: 'none',
    });
    expect(load('connections: { files: { paths: [a] } }').connections.files).toMatchObject({
      deliverySlackMs: 86_400_000,
    });
    expect(
      load(
        'connections: { files: { kind: files, paths: ["s3://b-1.x/a b"], profile: audit, region: eu-west-1, endpoint_url: "http://127.0.0.1:9000" } }',
      ).connections.files,
    ).toMatchObject({
      profile: 'audit',
      region: 'eu-west-1',
      endpointUrl: 'http://127.0.0.1:9000',
      roleArn: undefined,
    });
    expect(failure('connections: { files: { kind: files, paths: ["s3:/bucket"] } }').message).toMatch(
      /paths\.0: expected s3:\/\/bucket\/prefix, found "s3:\/bucket"$/,
    );
    expect(failure('connections: { files: { paths: [] } }').message).toMatch(
      /files\.paths: expected at least one path$/,
    );
  });

  it('replaces ${VAR} after parsing, so that a value cannot change the structure', () => {
    const config = load('connections: { abuseipdb: { api_key: "${KEY}" } }', { KEY: '"}, x: {a' });
    expect(config.connections.abuseipdb).toMatchObject({ apiKey: '"}, x: {a' });
  });

  it('reads $${ as the characters ${', () => {
    const config = load('connections: { abuseipdb: { api_key: "$${KEY}" } }');
    expect(config.connections.abuseipdb).toMatchObject({ apiKey: '${KEY}' });
  });
});

describe('what is wrong is named by file, line and key', () => {
  const cases: [what: string, yaml: string, message: RegExp, hint?: RegExp][] = [
    [
      'an unknown key',
      'listen:\n  prot: 1\n',
      /trailhound\.yaml:2:3: listen\.prot: unknown key$/,
      /Did you mean port\?/,
    ],
    ['an unknown key at the top', 'conections: {}', /yaml:1:1: conections: unknown key$/, /connections/],
    ['an unknown key unlike any', 'zzz: 1', /yaml:1:1: zzz: unknown key$/, /listen, data_dir/],
    ['a broken YAML', 'listen:\n  port: [1\n', /trailhound\.yaml:\d+:\d+: .*/],
    ['a key given twice', 'log_level: info\nlog_level: warn\n', /yaml:2:1: map keys must be unique/],
    [
      'a port that is none',
      '\nlisten: { port: 70000 }',
      /yaml:2:11: listen\.port: expected a port, found "70000"$/,
      /0 to 65535/,
    ],
    [
      'a duration without a unit',
      'cache:\n  tables:\n    a: 24',
      /yaml:3:5: cache\.tables\.a: expected a duration, found "24"$/,
    ],
    [
      "LIKE's own patterns",
      "hunts: { known: ['22.33.44.%'] }",
      /hunts\.known\.0: expected an ARN, .* found "22\.33\.44\.%"$/,
    ],
    ['a network', "hunts: { known: ['22.33.44.0/24'] }", /hunts\.known\.0: .* with \* such as 203\.0\.113\.\*, found/],
    ['a size', 'cache: { max_bytes: 1 bushel }', /cache\.max_bytes: expected a size, found "1 bushel"$/, /GiB/],
    [
      'a kind',
      'connections:\n  a: { kind: awz }',
      /yaml:2:8: connections\.a\.kind: expected .*, found "awz"$/,
      /mean aws\?/,
    ],
    ['no kind', 'connections:\n  a: { profile: x }', /yaml:2:3: connections\.a(\.kind)?: kind is missing$/],
    [
      'an unknown key of a connection',
      'connections:\n  a: { kind: aws, regoins: [x] }',
      /connections\.a\.regoins: unknown key$/,
      /regions/,
    ],
    ['a name of a connection', 'connections: { "A b": { kind: aws } }', /connections\.A b: expected a name/],
    [
      'a region',
      'connections: { aws: { regions: [us-east-1, "EU West"] } }',
      /connections\.aws\.regions\.1: expected a region/,
    ],
    [
      'external_id alone',
      'connections: { aws: { external_id: x } }',
      /connections\.aws\.external_id: external_id is used/,
    ],
    [
      'a variable that is not set',
      'connections:\n  abuseipdb:\n    api_key: ${NOPE}',
      /yaml:3:14: environment variable NOPE is not set/,
    ],
    ['a variable without a name', 'log_level: ${', /yaml:1:12: "\$\{" names no environment variable/],
    ['a time zone', 'timezone: Mars/Olympus', /timezone: unknown time zone "Mars\/Olympus"$/],
    ['an offset as time zone', 'timezone: "+02:00"', /timezone: unknown time zone/],
    [
      'a severity',
      'hunts: { severity: { a/b: hgih } }',
      /hunts\.severity\.a\/b: expected .* or critical, found "hgih"$/,
      /high/,
    ],
    ['tls', 'listen: { tls: on }', /listen\.tls: expected auto, off or/],
    [
      'a path for a host',
      'http: { allow: [api.example.com/v1] }',
      /http\.allow\.0: expected a host/,
      /no scheme, path/,
    ],
    [
      'the port that URLs leave out',
      'http: { allow_private: ["a:80"] }',
      /expected a host, found "a:80"/,
      /Leave out :80/,
    ],
    ['a list in place of the mapping', '- 1', /expected/],
    ['a list in place of connections', 'connections: [1]', /connections: expected a mapping/],
  ];

  it.each(cases)('%s', (_, yaml, message, hint) => {
    const error = failure(yaml);
    expect(error.message).toMatch(message);
    expect(error.code).toBe('configuration');
    if (hint !== undefined) expect(error.hint).toMatch(hint);
  });

  it('reads hosts as a URL parser does', () => {
    const { http } = load(
      'http: { allow: [API.example.com, "b\u00fccher.example:443", 0x7f.1], allow_private: ["[::1]:8080"] }',
    );
    expect(http).toEqual({
      allow: ['api.example.com', 'xn--bcher-kva.example', '127.0.0.1'],
      allowPrivate: ['[::1]:8080'],
    });
  });

  it('tells of further problems in the detail', () => {
    expect(failure('zzz: 1\nlog_level: loud').detail).toMatch(/zzz: unknown key/);
  });

  it('names the variable or the option that holds a wrong value', () => {
    expect(failure(undefined, { TRAILHOUND_PORT: 'x' }).message).toBe('TRAILHOUND_PORT: expected a port, found "x"');
    expect(failure(undefined, {}, { logLevel: 'loud' }).message).toMatch(/^--log-level: expected .*, found "loud"$/);
    expect(failure(undefined, { ABUSEIPDB_URL: 'nonsense' }).message).toMatch(/^ABUSEIPDB_URL: expected a URL/);
    expect(failure(undefined, {}, { config: 'none.yaml' }).message).toMatch(/none\.yaml: there is no such file$/);
  });

  it('never repeats a secret', () => {
    const error = failure('connections: { abuseipdb: { api_key: [hush] } }\nengine_url: "http://u:hush@h"');
    expect(`${error.message} ${error.detail} ${error.hint}`).not.toContain('hush');
  });
});
