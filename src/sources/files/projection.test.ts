import { expect, test } from 'vitest';
import { column } from '../../../test/support/source-harness.ts';
import { project, projectionOf } from './projection.ts';

const of = (...paths: readonly string[]) => projectionOf(paths.map((path) => column('x', path)));

test('only what columns of the record lead to is taken, the rest of a value with it', () => {
  expect(of('a.b', 'a', 'c.d.e', '@path', '@record')).toEqual({ paths: [['a'], ['c', 'd', 'e']], text: true });
  expect(of('@path')).toEqual({ paths: [], text: false });
});

test('what is projected reads as the whole record does', () => {
  const record = { a: { b: 1, x: [2] }, c: { d: { e: 'f', g: 1 } }, h: null, i: 'text', k: { d: 'text' } };
  expect(project(record, of('a', 'c.d.e', 'h', 'i.j', 'k.d.e', 'l.m'))).toEqual({
    a: { b: 1, x: [2] },
    c: { d: { e: 'f' } },
    k: {},
  });
  expect(project(record, of('c.d.e', 'c.d.g', 'a.b'))).toEqual({ a: { b: 1 }, c: { d: { e: 'f', g: 1 } } });
});
