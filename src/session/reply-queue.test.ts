import { describe, expect, test } from 'vitest';
import type { TransactionStatus } from '../wire/backend/ready-for-query.ts';
import type { Outcome, ReplyKind } from './expected.ts';
import { ReplyQueue } from './reply-queue.ts';

/** A queue, and in order how what was sent ended. */
function start() {
  const queue = new ReplyQueue();
  const ended: string[] = [];
  const send = (...kinds: readonly ReplyKind[]) => {
    for (const kind of kinds) queue.expect({ kind, onEnd: (outcome: Outcome) => ended.push(`${kind} ${outcome}`) });
  };
  const receive = (types: string, status: TransactionStatus = 'I') => {
    for (const type of types) queue.receive(type.charCodeAt(0), status);
  };
  return { queue, ended, send, receive };
}

test('each reply ends with its own last message, and asynchronous ones end none', () => {
  const { queue, ended, send, receive } = start();
  send(
    'parse',
    'describe',
    'bind',
    'describe',
    'execute',
    'execute',
    'execute',
    'close',
    'sync',
    'query',
    'function-call',
  );
  receive('N1StT2nADDCsI3');
  expect(ended).toEqual([
    ...['parse done', 'describe done', 'bind done', 'describe done'],
    ...['execute done', 'execute done', 'execute done', 'close done'],
  ]);
  receive('Z');
  receive('TDCTDCZVZ', 'T');
  expect(ended.slice(8)).toEqual(['sync done', 'query done', 'function-call done']);
  expect([queue.settled, queue.status]).toEqual([true, 'T']);
});

test('an error takes with it all up to the next Sync, also a simple Query', () => {
  const { queue, ended, send, receive } = start();
  send('parse', 'bind', 'query', 'execute', 'sync', 'parse');
  receive('1E');
  expect(ended).toEqual(['parse done', 'bind failed', 'query skipped', 'execute skipped']);
  expect([queue.skipping, queue.settled]).toEqual([false, false]);
  receive('Z1');
  expect(queue.settled).toBe(true);
});

test('after an error without Sync whatever is sent is skipped, until Sync', () => {
  const { queue, ended, send, receive } = start();
  send('parse');
  receive('E');
  expect([queue.skipping, queue.settled]).toEqual([true, true]);
  send('bind', 'query', 'copy-end');
  expect(ended).toEqual(['parse failed', 'bind skipped', 'query skipped']);
  send('sync', 'parse');
  expect(queue.skipping).toBe(false);
  receive('Z1');
  expect(ended.slice(3)).toEqual(['sync done', 'parse done']);
});

test('an error of a simple Query, of a function call or at commit is followed by their ReadyForQuery', () => {
  const { queue, ended, send, receive } = start();
  send('query', 'function-call', 'sync', 'parse');
  receive('EZEZEZ1');
  expect(ended).toEqual(['query failed', 'function-call failed', 'sync failed', 'parse done']);
  expect(queue.skipping).toBe(false);
});

test('an error while nothing is expected, the last word of a backend, changes nothing', () => {
  const { queue, receive } = start();
  receive('E');
  expect([queue.skipping, queue.settled]).toEqual([false, true]);
});

describe('COPY FROM STDIN', () => {
  test('ignores the Sync that libpq sends with Execute', () => {
    const { queue, ended, send, receive } = start();
    send('execute', 'sync');
    receive('G');
    expect([queue.copyIn, ended]).toEqual([true, ['sync skipped']]);
    send('copy-end', 'sync');
    expect(queue.copyIn).toBe(false);
    receive('CZ');
    expect([queue.settled, ended.slice(1)]).toEqual([true, ['execute done', 'sync done']]);
  });

  test('whose data was sent before it was asked for is over at once', () => {
    const { queue, send, receive } = start();
    send('execute', 'copy-end', 'sync');
    receive('G');
    expect(queue.copyIn).toBe(false);
    receive('CZ');
    expect(queue.settled).toBe(true);
  });

  test('that fails before it asks for data leaves no mark of the data that was sent', () => {
    const { queue, send, receive } = start();
    send('execute', 'copy-end', 'sync', 'query', 'copy-end', 'query');
    receive('EZ');
    receive('EZ');
    receive('CZ');
    expect(queue.settled).toBe(true);
  });

  test('ends by an error', () => {
    const { queue, send, receive } = start();
    send('query');
    receive('GE');
    expect(queue.copyIn).toBe(false);
    send('copy-end');
    receive('Z');
    expect(queue.settled).toBe(true);
  });
});

test('a segment is open from its first message to its Sync', () => {
  const { queue, send } = start();
  const seen: boolean[] = [];
  for (const kind of ['query', 'parse', 'query', 'sync', 'query'] as const) {
    send(kind);
    seen.push(queue.segmentOpen);
  }
  expect(seen).toEqual([false, true, true, false, false]);
});

test('a backend that is gone answers nothing: everything is skipped', () => {
  const { queue, ended, send } = start();
  send('parse', 'sync');
  queue.abandon();
  expect([queue.settled, ended]).toEqual([true, ['parse skipped', 'sync skipped']]);
});

test('a segment has run something once the client has bound or executed in it', () => {
  const { queue, send, receive } = start();
  send('query');
  receive('CZ');
  expect(queue.hasRun).toBe(false);
  send('parse', 'describe');
  queue.expect({ kind: 'bind', injected: true });
  expect(queue.hasRun).toBe(false);
  send('bind');
  expect(queue.hasRun).toBe(true);
  send('sync');
  expect(queue.hasRun).toBe(false);
});
