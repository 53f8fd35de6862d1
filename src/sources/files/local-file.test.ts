import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readAtOnce } from './local-file.ts';

test('a file that grows while it is read is read to its end, in few pieces', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'trailhound-'));
  const path = join(folder, 'growing.jsonl');
  const [before, after] = ['a'.repeat(1_000), 'b'.repeat(200_000)];
  await writeFile(path, before);
  const pieces: Uint8Array[] = [];
  for await (const piece of readAtOnce(path)) {
    pieces.push(piece);
    if (pieces.length === 1) await appendFile(path, after);
  }
  await rm(folder, { recursive: true });
  expect(Buffer.concat(pieces).toString() === before + after).toBe(true);
  expect(pieces.length).toBeLessThan(10);
});
