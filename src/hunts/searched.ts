import { parseStatements } from '../sql/parse.ts';
import { bare } from '../sql/walk.ts';
import type { SqlClient } from './sql-client.ts';

/**
 * What a statement without rows has searched, one text a virtual table, so that nothing found can be told from nothing
 * looked at. Asked of EXPLAIN, which calls no source; empty for what is no single SELECT.
 */
export async function whatWasSearched(client: SqlClient, sql: string): Promise<readonly string[]> {
  const statements = parseStatements(sql);
  const [statement] = statements ?? [];
  // `explain a; b` would execute b.
  if (statements?.length !== 1 || bare(statement?.node, 'SelectStmt') === undefined) return [];
  const lines: string[] = [];
  for await (const event of client.run(`explain ${sql}`)) {
    if (event.kind === 'rows') lines.push(...event.rows.map(([line]) => line ?? ''));
  }
  const searched: string[] = [];
  let table = '';
  for (const line of lines) {
    table = /^Trailhound: ([^\s:]+)/.exec(line)?.[1] ?? table;
    const reads = /^ *Reads: (.*)$/.exec(line)?.[1];
    if (reads !== undefined) searched.push(`${table}: ${reads}`);
  }
  return searched;
}
