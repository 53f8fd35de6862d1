import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDirectory } from './directory-lock.ts';

const MODULE = new URL('./directory-lock.ts', import.meta.url).href;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'trailhound-test-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('lockDirectory', () => {
  it('is held by one at a time', async () => {
    const lock = await lockDirectory(directory);
    await expect(lockDirectory(directory)).rejects.toMatchObject({
      code: 'configuration',
      message: `data directory ${directory} is in use by process ${process.pid}`,
    });
    await lock.release();
    await (await lockDirectory(directory)).release();
    expect(await readdir(directory)).toEqual([]);
  });

  it('is taken from processes that have ended, even where their pid lives again', async () => {
    await writeFile(join(directory, `engine.lock-${process.pid}-0123456789abcdef`), '');
    await writeFile(join(directory, 'engine.lock-4194303-0123456789abcdef'), '');
    await writeFile(join(directory, 'engine.lock-nonsense'), '');
    const lock = await lockDirectory(directory);
    expect(await readdir(directory)).toHaveLength(1);
    await lock.release();
  });

  it('never goes to two of several processes that want it at once', async () => {
    await writeFile(join(directory, 'engine.lock-4194303-0123456789abcdef'), '');
    const script = `
      const { lockDirectory } = await import(${JSON.stringify(MODULE)});
      process.stdout.write('ready ');
      process.stdin.once('data', () => lockDirectory(${JSON.stringify(directory)}).then(
        () => process.stdout.write('held'), () => process.stdout.write('refused')));`;
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script]),
    );
    await Promise.all(children.map((child) => once(child.stdout, 'data')));
    const answers = await Promise.all(
      children.map(async (child) => {
        child.stdin.write('go');
        const [answer] = (await once(child.stdout, 'data')) as [Buffer];
        return answer.toString();
      }),
    );
    for (const child of children) {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
    // What they left keeps nobody out.
    await (await lockDirectory(directory)).release();
    expect(answers.filter((answer) => answer === 'held').length).toBeLessThanOrEqual(1);
    expect(answers.filter((answer) => answer !== 'held' && answer !== 'refused')).toEqual([]);
  });
});
