import { describe, expect, test } from 'vitest';
import type { Catalog } from '../catalog/table.ts';
import { Dependents } from './dependents.ts';
import { MadeLookups } from './made-lookups.ts';

const NOTHING: Catalog = { tables: [], views: [], tableByOid: () => undefined, viewByOid: () => undefined };

describe('what another process has made', () => {
  test('is looked for by the next statement once it is told of, and not before some time without', async () => {
    let looked = 0;
    const pool = {
      query: () => {
        looked += 1;
        return Promise.resolve({ rows: [{ things: '[]' }] });
      },
    };
    const dependents = new Dependents(NOTHING, pool, () => 0);
    await dependents.refreshIfStale();
    expect(dependents.mayBeNamedIn('select * from scored')).toBe(false);
    dependents.forget();
    expect(dependents.mayBeNamedIn('select * from scored')).toBe(true);
    await dependents.refreshIfStale();
    expect(dependents.mayBeNamedIn('select * from scored')).toBe(false);
    expect(looked).toBe(2);
  });

  test('told of while it is being looked for is looked for again', async () => {
    const answers: ((answer: { rows: unknown[] }) => void)[] = [];
    const pool = { query: () => new Promise<{ rows: unknown[] }>((resolve) => answers.push(resolve)) };
    const dependents = new Dependents(NOTHING, pool, () => 0);
    const looking = dependents.refreshIfStale();
    dependents.forget();
    answers[0]?.({ rows: [{ things: '[]' }] });
    await looking;
    expect(dependents.mayBeNamedIn('select * from scored')).toBe(true);
  });
});

test('after a call of create_lookup() every statement waits for it, until it is known', async () => {
  let looked = 0;
  const made = new MadeLookups(
    () => {
      looked += 1;
      return Promise.resolve();
    },
    () => 0,
  );
  expect(made.mayHaveChanged('select 1')).toBe(false);
  expect(made.mayHaveChanged("select trailhound.create_lookup('a', …)")).toBe(true);
  expect(made.mayHaveChanged('select 1')).toBe(true);
  await made.settle();
  made.known();
  expect(made.mayHaveChanged('select 1')).toBe(false);
  await made.settle();
  expect(looked).toBe(1);
});
