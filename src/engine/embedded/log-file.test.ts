import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLogFile } from './log-file.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'trailhound-test-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('openLogFile', () => {
  it('keeps the log of the run before', async () => {
    const path = join(directory, 'engine.log');
    for (const text of ['first', 'second', 'third']) {
      const log = openLogFile(path);
      log.write(Buffer.from(text));
      log.close();
    }
    expect(await readFile(path, 'utf8')).toBe('third');
    expect(await readFile(`${path}.1`, 'utf8')).toBe('second');
  });

  it('never takes more than two files of 4 MiB', async () => {
    const path = join(directory, 'engine.log');
    const log = openLogFile(path);
    for (let chunk = 0; chunk < 13; chunk += 1) log.write(Buffer.alloc(1024 * 1024, 'x'));
    log.close();
    expect(await readdir(directory)).toEqual(['engine.log', 'engine.log.1']);
    expect((await stat(path)).size).toBe(1024 * 1024);
    expect((await stat(`${path}.1`)).size).toBe(4 * 1024 * 1024);
  });

  it('remembers its last words, closed or not', () => {
    const log = openLogFile(join(directory, 'engine.log'));
    log.write(Buffer.from('FATAL:  no room\n'));
    log.close();
    log.write(Buffer.from('too late'));
    expect(log.tail()).toBe('FATAL:  no room');
  });
});
