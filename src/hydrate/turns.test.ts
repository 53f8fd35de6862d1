import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

const NEVER = new AbortController().signal;

test('who comes later waits for all who came before, but for those who have left', async () => {
  const turns = new Turns();
  const order: string[] = [];
  const end = await turns.take('a', NEVER);
  const leaving = new AbortController();
  const left = turns.take('a', leaving.signal).catch((error: unknown) => order.push(String(error)));
  const last = turns.take('a', NEVER).then((ended) => {
    order.push('last');
    ended();
  });
  (await turns.take('b', NEVER))();
  order.push('another');
  leaving.abort('left');
  await left;
  expect(order).toEqual(['another', 'left']);
  end();
  await last;
  expect(order).toEqual(['another', 'left', 'last']);
  (await turns.take('a', NEVER))();
});
