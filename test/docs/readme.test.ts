import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/app/config/load.ts';
import { parseStatements } from '../../src/sql/parse.ts';
import { read } from '../house/repository.ts';

const readme = read('README.md');

function blocks(language: string): readonly string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, text = '']) => text,
  );
}

const SECRETS = { ABUSEIPDB_API_KEY: 'made-up', GREYNOISE_API_KEY: 'made-up-as-well' };

test('the configuration of README.md is one that Trailhound takes', () => {
  const directory = mkdtempSync(join(tmpdir(), 'trailhound-readme-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true });
  });
  const [yaml = ''] = blocks('yaml');
  writeFileSync(join(directory, 'trailhound.yaml'), yaml);
  const config = loadConfig({ directory, environment: { ...SECRETS, HOME: directory } });
  expect(config.listen).toMatchObject({ host: '127.0.0.1', port: 9432, httpPort: 9433, tls: 'auto' });
  expect(config.connections).toMatchObject({
    audit: { kind: 'aws', profile: 'audit', regions: ['us-east-1', 'eu-*'] },
    workload: { kind: 'aws', roleArn: 'arn:aws:iam::111122223333:role/hunt' },
    abuseipdb: { kind: 'abuseipdb', apiKey: 'made-up' },
    greynoise: { kind: 'http', host: 'api.greynoise.io', headers: { key: 'made-up-as-well' } },
  });
  expect(config.cache.ttlMsByTable).toEqual({ abuseipdb_check_ip: 86_400_000 });
});

test('the commands of README.md are scripts of package.json', () => {
  const { scripts } = JSON.parse(read('package.json')) as { readonly scripts: Readonly<Record<string, string>> };
  const named = [...readme.matchAll(/\bnpm run (\w+)|\bnpm (test)\b/g)].map(
    ([, script, lifecycle]) => script ?? lifecycle ?? '',
  );
  expect(new Set(named)).toEqual(new Set(['demo', 'test']));
  expect(named.filter((script) => !(script in scripts))).toEqual([]);
});

test('the statements of README.md can be read', () => {
  const statements = blocks('sql');
  expect(statements.length).toBeGreaterThan(0);
  for (const sql of statements) expect(parseStatements(sql)).toHaveLength(1);
});
