import { expect, it } from 'vitest';
import { decodeErrorResponse, encodeErrorResponse } from '../wire/backend/error-response.ts';
import { BACKEND } from '../wire/backend/message-type.ts';
import { payload } from './filters.ts';
import { keptRowsHint } from './kept-rows-hint.ts';

function relayed(text: string, fields: readonly (readonly [string, string])[]): readonly [Buffer, Buffer] {
  const message = encodeErrorResponse({ fields: new Map(fields) });
  const [passed] = keptRowsHint(text)?.filter.apply(BACKEND.errorResponse, message) ?? [message];
  return [message, passed ?? Buffer.alloc(0)];
}

it('a role that rows are kept for is refused with what helps', () => {
  const [message, passed] = relayed('DROP ROLE hunter', [
    ['C', '2BP01'],
    ['D', 'privileges for table trailhound_rows.r_1'],
  ]);
  const { fields } = decodeErrorResponse(payload(passed));
  expect(fields.get('H')).toContain('trailhound.forget_rows_of');
  fields.forEach((value, letter) => {
    if (letter !== 'H') expect(decodeErrorResponse(payload(message)).fields.get(letter)).toBe(value);
  });
});

it.each([
  ['drop role hunter', '2BP01', 'owner of table t'],
  ['drop table x', '42P01', 'trailhound_rows.'],
  ['select 1', '2BP01', 'privileges for table trailhound_rows.r_1'],
])('all else keeps its bytes: %s %s %s', (text, code, detail) => {
  const [message, passed] = relayed(text, [
    ['C', code],
    ['D', detail],
  ]);
  expect(passed).toBe(message);
});
