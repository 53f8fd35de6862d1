import type { SqlClient } from '../hunts/sql-client.ts';
import { printable } from './output/printable.ts';
import { say } from './terminal.ts';

/** Under an empty result: what was searched, as far as it is known. */
export async function sayNothingFound(client: SqlClient, sql: string): Promise<void> {
  const { whatWasSearched } = await import('../hunts/searched.ts');
  const [first, ...others] = await whatWasSearched(client, sql);
  say(first === undefined ? '0 rows.' : `0 rows. Searched ${printable(first)}`);
  for (const other of others) say(`        Searched ${printable(other)}`);
}
