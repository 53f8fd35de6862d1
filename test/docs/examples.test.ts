import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildDemo, type Demo } from '../../src/app/demo.ts';
import type { Endpoint } from '../../src/app/server.ts';
import { read } from '../house/repository.ts';
import { tablePages } from './pages.ts';

let directory: string;
let demo: Demo;
let endpoint: Endpoint;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'trailhound-docs-'));
  // As root the engine runs as another user, who has to pass through.
  await chmod(directory, 0o711);
  demo = await buildDemo({ dataDir: directory }, 'once');
  endpoint = await demo.server.start();
});

afterAll(async () => {
  await demo.server.stop('immediately');
  await demo.closeSimulator();
  await rm(directory, { recursive: true });
});

/** On a connection of its own: one that is stuck must not hold up the others. */
async function rowsOf(sql: string): Promise<readonly unknown[]> {
  const { host, port, database, password } = endpoint;
  const client = new Client({ host, port, database, user: 'trailhound', password, statement_timeout: 120_000 });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

describe.each(tablePages())('the examples of $path', ({ examples }) => {
  test.each(examples)('$title finds something in the demo', async ({ sql }) => {
    expect((await rowsOf(sql)).length).toBeGreaterThan(0);
  });
});

test('the statement that README.md begins with finds the addresses that made users', async () => {
  const sql = /```sql\n([\s\S]*?)\n```/.exec(read('README.md'))?.[1] ?? '';
  const rows = (await rowsOf(sql)) as readonly { readonly abuse_confidence_score: number }[];
  expect(Math.max(...rows.map((row) => row.abuse_confidence_score))).toBe(100);
});

test('the settings of README.md are those that a session has, with their defaults', async () => {
  const documented = [...read('README.md').matchAll(/^\| `(trailhound\.\w+)` \| (?:`(\w+)`|[^|]+) \|/gm)];
  const rows = await rowsOf(`
    select split_part(setting, '=', 1) as name, substr(setting, strpos(setting, '=') + 1) as value
    from pg_db_role_setting s, unnest(s.setconfig) as setting
    where s.setrole = 0 and setting like 'trailhound.%'`);
  const byName = (settings: readonly { readonly name: string; readonly value: string }[]) =>
    Object.fromEntries(settings.map(({ name, value }) => [name, value]));
  expect(documented.length).toBeGreaterThan(0);
  expect(byName(documented.map(([, name = '', value = '']) => ({ name, value })))).toEqual(
    byName(rows as readonly { readonly name: string; readonly value: string }[]),
  );
});
