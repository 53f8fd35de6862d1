import { expect, test } from 'vitest';
import { ERRORS, TrailhoundError } from '../../src/kernel/errors.ts';
import { read } from './repository.ts';

test('docs/errors.md lists every code with its SQLSTATE, in the order of the register', () => {
  const documented = [...read('docs/errors.md').matchAll(/^\| `(\w+)` \| `(\w{5})` \|/gm)].map(([, code, state]) => [
    code,
    state,
  ]);
  expect(documented).toEqual(Object.entries(ERRORS).map(([code, { sqlstate }]) => [code, sqlstate]));
});

test('an error gives the SQLSTATE of its code, and keeps its cause', () => {
  const cause = new Error('reset');
  const error = new TrailhoundError('unbounded_key', 'x needs a value for y', { hint: 'Compare y.', cause });
  expect([error.sqlstate, error.hint, error.detail, error.cause]).toEqual(['HV002', 'Compare y.', undefined, cause]);
});
