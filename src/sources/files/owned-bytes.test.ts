import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { OwnedBytes } from './owned-bytes.ts';

test('what is freed is gone, and what follows has its memory', () => {
  const before = process.memoryUsage().arrayBuffers;
  const stored = gzipSync(Buffer.alloc(4 * 1024 * 1024, 'x'));
  for (let round = 0; round < 50; round += 1) {
    const owned = new OwnedBytes();
    const bytes = owned.own(gunzipSync(stored, { chunkSize: 4 * 1024 * 1024 + 1 }));
    expect(bytes.length).toBe(4 * 1024 * 1024);
    owned.free();
    expect(bytes.length).toBe(0);
  }
  // Of 200 MiB.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
});

test("what is part of Node's pool is left alone", () => {
  const owned = new OwnedBytes();
  const bytes = owned.own(Buffer.from('a record'));
  owned.free();
  expect(bytes.toString()).toBe('a record');
});

test('what was read is given back by who owns it, once', () => {
  const read = Buffer.alloc(1024 * 1024);
  new OwnedBytes().spent(read);
  expect(read.length).toBe(1024 * 1024);
  const owned = new OwnedBytes(true);
  owned.own(read);
  owned.own(read.subarray(10));
  owned.spent(read);
  expect(read.length).toBe(0);
  owned.free();
});
