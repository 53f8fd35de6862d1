import { expect, it } from 'vitest';
import { checkHunt } from './check-hunt.ts';
import { FIRST_COLUMNS } from './hunt.ts';
import { parseHunt } from './parse-hunt.ts';
import type { SqlClient } from './sql-client.ts';

/** A server that has nothing against any statement. */
const CLIENT: SqlClient = {
  run: async function* () {},
  rows: () => Promise.resolve([['true']]),
  describe: () => Promise.resolve(FIRST_COLUMNS),
  cancel: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

const problemsOf = (who: string) =>
  checkHunt(
    CLIENT,
    parseHunt(
      `-- id: a/b
-- title: Something
-- severity: high
-- tables: t
-- parameter: since interval = 7 days; how far back
-- parameter: until interval = 0 days; when to stop
-- parameter: who text required; a name
select from t
where since > coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and until > coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
  and name = ${who}`,
      'a/b',
      'a/b.sql',
    ),
  );

it('finds nothing wrong with a required parameter for which the statement has no default', async () => {
  expect(await problemsOf(`nullif(current_setting('hunt.who', true), '')`)).toEqual([]);
});

it('finds a default of the statement for what the comment block requires', async () => {
  expect(await problemsOf(`coalesce(nullif(current_setting('hunt.who', true), ''), 'none')`)).toEqual([
    'who is required in the comment block, but "none" by default in the statement.',
  ]);
});
