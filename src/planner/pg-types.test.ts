import { expect, test } from 'vitest';
import { castTo } from './nodes.ts';

test.each([
  ['integer', 'int4', 0],
  ['bigint[]', 'int8', 1],
  ['timestamp with time zone', 'timestamptz', 0],
  ['int8', 'int8', 0],
])('a cast to %s is one to pg_catalog.%s', (printed, name, dimensions) => {
  expect(castTo({ A_Const: { isnull: true } }, printed)).toMatchObject({
    TypeCast: {
      typeName: {
        names: [{ String: { sval: 'pg_catalog' } }, { String: { sval: name } }],
        ...(dimensions > 0 && { arrayBounds: [{ Integer: { ival: -1 } }] }),
      },
    },
  });
});
