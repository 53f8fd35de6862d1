import { expect, it } from 'vitest';
import { findHunt, loadHunts } from '../hunt-library.ts';
import { newRows, rowsNotification } from './new-rows.ts';
import { webhookMessage } from './webhook-message.ts';

const hunt = findHunt(loadHunts([]), 'cloudtrail/create-user-by-abusers');
const HEAD = { id: hunt.id, title: hunt.title, severity: 'high', mitre: hunt.mitre };

it('gives a row’s columns as PostgreSQL writes them, and detail as JSON', async () => {
  async function* result() {
    await Promise.resolve();
    yield {
      kind: 'fields',
      fields: ['event_id', 'severity', 'detail'].map((name) => ({ name, typeOid: 25 })),
    } as const;
    yield {
      kind: 'rows',
      rows: [
        ['a', 'high', '{"x": [1]}'],
        ['b', 'low', null],
        ['a', 'high', '{"x": [1]}'],
      ],
    } as const;
    yield { kind: 'complete', tag: 'SELECT 3' } as const;
  }
  const found = await newRows(result(), [new Set()]);
  expect(found.keys.size).toBe(2);
  expect(webhookMessage(rowsNotification(hunt, found))).toEqual({
    kind: 'rows',
    hunt: HEAD,
    total: 2,
    by_severity: { high: 1, low: 1 },
    rows: [
      { event_id: 'a', severity: 'high', detail: { x: [1] } },
      { event_id: 'b', severity: 'low', detail: null },
    ],
  });
  expect((await newRows(result(), [found.keys, found.keys])).fresh.size).toBe(0);
});

it('says what failed, of one hunt or of all, and that it is over', () => {
  const failure = { sqlstate: '53400', message: 'too fast', detail: undefined, hint: 'Wait.' };
  expect(webhookMessage({ kind: 'failed', hunt, ...failure })).toEqual({
    kind: 'failed',
    hunt: HEAD,
    sqlstate: '53400',
    message: 'too fast',
    detail: null,
    hint: 'Wait.',
  });
  expect(webhookMessage({ kind: 'failed', hunt: undefined, ...failure })).toMatchObject({ hunt: null });
  expect(webhookMessage({ kind: 'recovered', hunt: undefined, failedSince: undefined })).toEqual({
    kind: 'recovered',
    hunt: null,
    failed_since: null,
  });
});
