import { describe, expect, it } from 'vitest';
import { passedThrough } from './passed-through.ts';

describe('passedThrough', () => {
  it('names the column behind each plain target', () => {
    expect(passedThrough('SELECT title AS name, t.id, "select" AS x FROM source.t;')).toEqual([
      'title',
      'id',
      'select',
    ]);
  });

  it('gives nothing for what is computed', () => {
    expect(passedThrough(`SELECT a::text AS a, upper(b) AS b, 'c'::text AS c, d FROM source.t;`)).toEqual([
      undefined,
      undefined,
      undefined,
      'd',
    ]);
  });

  it('gives nothing for what is no SELECT', () => {
    expect(passedThrough('nonsense')).toEqual([]);
    expect(passedThrough('delete from source.t')).toEqual([]);
  });
});
