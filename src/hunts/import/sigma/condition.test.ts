import { expect, it } from 'vitest';
import { parseCondition } from './condition.ts';

const NAMES = ['a', 'b', 'sel_1', 'sel_2', '_hidden', 'x-y'];
const read = (text: string) => parseCondition(text, NAMES);
const selection = (name: string) => ({ kind: 'selection', name });

it('binds not closer than and, and closer than or', () => {
  expect(read('a or not b and x-y')).toEqual({
    kind: 'or',
    of: [selection('a'), { kind: 'and', of: [{ kind: 'not', of: selection('b') }, selection('x-y')] }],
  });
  expect(read('NOT (a OR b)')).toEqual({ kind: 'not', of: { kind: 'or', of: [selection('a'), selection('b')] } });
});

it('counts search identifiers by a pattern, without those that begin with an underscore', () => {
  expect(read('1 of sel_*')).toEqual({ kind: 'or', of: [selection('sel_1'), selection('sel_2')] });
  expect(read('all of sel*')).toEqual({ kind: 'and', of: [selection('sel_1'), selection('sel_2')] });
  expect(read('2 of them')).toMatchObject({ kind: 'at least', count: 2, of: { length: 5 } });
  expect(read('any of _*')).toEqual(selection('_hidden'));
});

it.each([
  ['a and', 'it ends too early'],
  ['a b', '"b" was not expected'],
  ['(a', 'a bracket is not closed'],
  ['a)', '")" was not expected'],
  ['c', 'there is no search identifier c'],
  ['1 of c*', '"c*" stands for no search identifier'],
  ['3 of sel_*', '"3 of sel_*", but there are 2'],
  ['0 of them', '"0 of them", but there are 5'],
  ['1 of', '"1 of" what?'],
  ['a & b', '"&" means nothing in a condition'],
  ['a | count() > 5', '"|": aggregations in conditions have given way to correlation rules'],
  ['('.repeat(200) + 'a' + ')'.repeat(200), 'more than 100 brackets within each other'],
  ['not '.repeat(200) + 'a', 'more than 100 brackets within each other'],
])('refuses %s', (text, reason) => {
  expect(() => read(text)).toThrow(reason);
});
