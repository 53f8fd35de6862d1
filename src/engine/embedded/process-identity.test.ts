import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { processIdentity } from './process-identity.ts';

describe('processIdentity', () => {
  it('tells a living process by its start', async () => {
    const [first, second] = [await processIdentity(process.pid), await processIdentity(process.pid)];
    expect(first?.startedAt).not.toBe('');
    expect(first).toEqual(second);
    expect((await processIdentity(process.ppid))?.startedAt).not.toBe(first?.startedAt);
  });

  it('names the program', async () => {
    const child = spawn('/bin/sleep', ['60']);
    await once(child, 'spawn');
    expect(await processIdentity(child.pid ?? 0)).toMatchObject({ command: 'sleep' });
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await processIdentity(child.pid ?? 0)).toBeUndefined();
  });
});
