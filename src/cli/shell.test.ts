import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import type { SqlClient } from '../hunts/sql-client.ts';
import { ProgressLine } from './progress-line.ts';
import { isComplete, runShell } from './shell.ts';

it.each([
  ['select 1;', true],
  ['select 1', false],
  ["select ';", false],
  ["select ';';", true],
  ['select 1; -- and', true],
  ['select 1 -- ;', false],
  ['select $$ ; ', false],
  ['select $$ ; $$;', true],
  ['/* ; ', false],
  ['select "a;', false],
])('%s is complete: %s', (text, complete) => {
  expect(isComplete(text)).toBe(complete);
});

/** Notes what it is given and answers with one row. */
class NotingClient implements SqlClient {
  readonly statements: string[] = [];

  async *run(text: string) {
    this.statements.push(text);
    if (text.includes('wrong')) throw Object.assign(new Error('no'), { severity: 'ERROR', code: '42703' });
    yield { kind: 'fields', fields: [{ name: 'a', typeOid: 25 }] } as const;
    yield { kind: 'rows', rows: [['x']] } as const;
    yield { kind: 'complete', tag: 'SELECT 1' } as const;
  }

  async rows() {
    return [];
  }

  async describe() {
    return [];
  }

  async cancel() {}

  async close() {}
}

it('collects lines into statements, goes on after one that fails, and keeps the history', async () => {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'trailhound-shell-'));
  try {
    const client = new NotingClient();
    const session = { client, progress: new ProgressLine(), interrupted: () => false };
    const lines = ['', 'select 1 as a,', "  ';';", 'wrong;', '\\timing', 'select 2;', '\\q', 'select 3;'];
    await runShell(session, { dataDir, output: 'csv', input: Readable.from([`${lines.join('\n')}\n`]) });
    expect(client.statements).toEqual(["select 1 as a,\n  ';';\n", 'wrong;\n', 'select 2;\n']);
    await expect(readFile(path.join(dataDir, 'history'), 'utf8')).resolves.toBeTypeOf('string');
  } finally {
    await rm(dataDir, { recursive: true });
  }
});
