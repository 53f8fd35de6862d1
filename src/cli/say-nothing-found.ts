import type { SqlClient } from '../hunts/sql-client.ts';
import { printable } from './output/printable.ts';
import { say } from './terminal.ts';

/** Under an empty result: what was searched, as far as it is known. `before`: of `beforeSearch`. */
export async function sayNothingFound(client: SqlClient, before: string): Promise<void> {
  const { whatWasSearched } = await import('../hunts/searched.ts');
  const [first, ...others] = await whatWasSearched(client, before);
  say(first === undefined ? '0 rows.' : `0 rows. Searched ${printable(first)}`);
  for (const other of others) say(`        Searched ${printable(other)}`);
}
