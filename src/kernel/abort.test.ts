import { expect, test } from 'vitest';
import { abortable, linkAbort, untilAborted } from './abort.ts';

test('a linked controller follows each of its parents, with the parent’s reason', () => {
  const one = new AbortController();
  const other = new AbortController();
  const link = linkAbort(one.signal, other.signal);
  expect(link.signal.aborted).toBe(false);
  other.abort('because');
  expect(link.signal.reason).toBe('because');
  one.abort('too late');
  expect(link.signal.reason).toBe('because');
});

test('one that is linked to an aborted parent is born aborted', () => {
  expect(linkAbort(AbortSignal.abort('early')).signal.reason).toBe('early');
});

test('unlinked, it follows nobody', () => {
  const parent = new AbortController();
  const link = linkAbort(parent.signal);
  link.unlink();
  parent.abort();
  expect(link.signal.aborted).toBe(false);
});

test('what is abortable ends with whatever comes first', async () => {
  const controller = new AbortController();
  const never = new Promise<never>(() => undefined);
  const waiting = abortable(never, controller.signal);
  await expect(abortable(Promise.resolve('done'), controller.signal)).resolves.toBe('done');
  await expect(abortable(Promise.reject(new Error('own')), controller.signal)).rejects.toThrow('own');
  controller.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
  await expect(abortable(Promise.reject(new Error('late')), controller.signal)).rejects.toThrow('gone');
});

test('items come until the abort, which does not wait for the producer', async () => {
  const controller = new AbortController();
  async function* items(): AsyncGenerator<number> {
    yield await Promise.resolve(1);
    await new Promise(() => undefined);
  }
  const seen: number[] = [];
  const reading = (async () => {
    for await (const item of untilAborted(items(), controller.signal)) seen.push(item);
  })();
  setImmediate(() => controller.abort(new Error('gone')));
  await expect(reading).rejects.toThrow('gone');
  expect(seen).toEqual([1]);
});

test('a consumer that stops early stops the producer', async () => {
  let stopped = false;
  async function* items(): AsyncGenerator<number> {
    try {
      for (let n = 0; ; n += 1) yield await Promise.resolve(n);
    } finally {
      stopped = true;
    }
  }
  for await (const item of untilAborted(items(), new AbortController().signal)) if (item === 3) break;
  expect(stopped).toBe(true);
});
