import { expect, test } from 'vitest';
import { testContext } from '../../test/support/source-harness.ts';
import { SourceError } from './source.ts';
import { type Part, mergeParts } from './merge-parts.ts';

const LIMIT = { key: 'test', concurrency: 1 };

function pages(...names: readonly string[]): Part<string> {
  return async function* part() {
    for (const name of names) {
      await Promise.resolve();
      yield name;
    }
  };
}

function failing(message: string, after: readonly string[] = []): Part<string> {
  return async function* part() {
    yield* after;
    await Promise.resolve();
    throw new SourceError('unreachable', 'aws', message, { detail: `Detail of ${message}.` });
  };
}

/** Answers nothing until it is stopped. */
function waiting(stopped: string[], first: readonly string[] = []): Part<string> {
  return async function* part(context) {
    yield* first;
    try {
      await context.call(
        LIMIT,
        (signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      );
    } finally {
      stopped.push('stopped');
    }
  };
}

async function all(
  parts: readonly Part<string>[],
  options: { tolerate?: (error: unknown) => boolean; concurrency?: number } = {},
) {
  const found: string[] = [];
  for await (const page of mergeParts(parts, testContext(), { concurrency: 8, ...options })) found.push(page);
  return found;
}

test('pages of all parts come, each part in its own order', async () => {
  const found = await all([pages('a1', 'a2', 'a3'), pages(), pages('b1', 'b2')]);
  expect(found.filter((page) => page.startsWith('a'))).toEqual(['a1', 'a2', 'a3']);
  expect(found.filter((page) => page.startsWith('b'))).toEqual(['b1', 'b2']);
  expect(found).toHaveLength(5);
});

test('no more parts are read at once than allowed, and all are read', async () => {
  let open = 0;
  let most = 0;
  const part: Part<string> = async function* counted() {
    open += 1;
    most = Math.max(most, open);
    yield 'page';
    await Promise.resolve();
    open -= 1;
  };
  expect(
    await all(
      Array.from({ length: 10 }, () => part),
      { concurrency: 3 },
    ),
  ).toHaveLength(10);
  expect(most).toBe(3);
});

test('every failure of parts that had not answered is told, and those that had are stopped', async () => {
  const stopped: string[] = [];
  const error: unknown = await all([failing('one'), waiting(stopped, ['page']), failing('two')]).catch(
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SourceError);
  expect(error).toMatchObject({
    message: 'one, and 1 more failure',
    detail: 'one: Detail of one.\ntwo: Detail of two.',
  });
  expect(stopped).toEqual(['stopped']);
});

test('the same failure of all parts is told once', async () => {
  await expect(all([failing('no credentials'), failing('no credentials')])).rejects.toMatchObject({
    message: 'no credentials',
  });
});

test('a failure that was tolerated ends its own part only', async () => {
  const tolerated: unknown[] = [];
  const tolerate = (error: unknown) => tolerated.push(error) > 0;
  expect(await all([failing('one', ['a']), pages('b')], { tolerate })).toEqual(expect.arrayContaining(['a', 'b']));
  expect(tolerated).toHaveLength(1);
});

test('an error of ours is thrown as it is', async () => {
  const bug = new TypeError('bug');
  const broken: Part<string> = () => ({
    next: () => Promise.reject(bug),
    return: () => Promise.resolve({ done: true, value: undefined }),
    throw: () => Promise.reject(bug),
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
  await expect(all([broken, failing('one')])).rejects.toBe(bug);
});

test('a consumer that stops stops the parts', async () => {
  const stopped: string[] = [];
  for await (const page of mergeParts([waiting(stopped, ['page']), waiting(stopped)], testContext(), {
    concurrency: 8,
  })) {
    expect(page).toBe('page');
    break;
  }
  expect(stopped).toEqual(['stopped', 'stopped']);
});

test('an abort is thrown with its reason, whatever the parts say', async () => {
  const context = testContext();
  const reading = mergeParts([waiting([]), waiting([])], context, { concurrency: 8 }).next();
  const reason = new Error('canceling statement due to user request');
  context.abort(reason);
  await expect(reading).rejects.toBe(reason);
});

test('a page is fetched ahead while the consumer works on the last', async () => {
  const started: string[] = [];
  const part: Part<string> = async function* counted() {
    for (const name of ['a', 'b', 'c']) {
      started.push(name);
      yield name;
    }
  };
  const merged = mergeParts([part], testContext(), { concurrency: 1 });
  expect((await merged.next()).value).toBe('a');
  expect(started).toEqual(['a', 'b']);
  await merged.return();
});
