import { describe, expect, it } from 'vitest';
import { passedThrough } from './passed-through.ts';

const COLUMNS = ['id', 'title', 'select', 'a', 'b', 'd'];

describe('passedThrough', () => {
  it('names the column behind each plain target', () => {
    expect(passedThrough('SELECT title AS name, t.id, "select" AS x FROM source.t;', COLUMNS)).toEqual([
      'title',
      'id',
      'select',
    ]);
  });

  it('gives nothing for what is computed', () => {
    expect(passedThrough(`SELECT a::text AS a, upper(b) AS b, 'c'::text AS c, d FROM source.t;`, COLUMNS)).toEqual([
      undefined,
      undefined,
      undefined,
      'd',
    ]);
  });

  it('gives nothing for what a subquery may have computed', () => {
    expect(passedThrough('SELECT a FROM (SELECT lower(t.a) AS a FROM source.t) s;', COLUMNS)).toEqual([undefined]);
  });

  it('gives nothing for what is no SELECT', () => {
    expect(passedThrough('nonsense', COLUMNS)).toEqual([]);
    expect(passedThrough('delete from source.t', COLUMNS)).toEqual([]);
  });
});
