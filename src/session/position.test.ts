import { expect, test } from 'vitest';
import { locate, mapPosition } from './position.ts';

const original = 'select é, nope from t where t.x > 1';
const executed = 'select é, nope from (select * from unnest($1) as _(x)) as t where t.x > 1';

const at = (text: string, word: string) => Array.from(text.slice(0, text.indexOf(word))).length + 1;

test('a position before what was replaced stays, one behind it moves, one inside it is dropped', () => {
  const map = (word: string) => mapPosition(at(executed, word), { original, executed });
  expect(map('nope')).toBe(at(original, 'nope'));
  expect(map('where')).toBe(at(original, 'where'));
  expect(map('unnest')).toBeUndefined();
});

test('characters are counted, not UTF-16 units', () => {
  const emoji = { original: "select '😀😀', t", executed: "select '😀😀', (x) as t, y" };
  expect(mapPosition(11, emoji)).toBe(11);
});

test('the last character has a position, and one past the end', () => {
  expect(mapPosition(executed.length, { original, executed })).toBe(original.length);
  expect(mapPosition(executed.length + 1, { original, executed })).toBe(original.length + 1);
});

test('a position is counted from the beginning of what the client sent', () => {
  const fields = new Map([
    ['M', 'column "nope" does not exist'],
    ['P', '11'],
  ]);
  expect(locate(fields, { original, executed, offset: 10 }).get('P')).toBe('21');
  expect(locate(new Map([['P', '30']]), { original, executed, offset: 10 }).has('P')).toBe(false);
  expect(locate(new Map([['M', 'x']]), { original, executed, offset: 10 })).toEqual(new Map([['M', 'x']]));
});
