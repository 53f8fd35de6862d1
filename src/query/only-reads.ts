import type { Node } from '@pgsql/types';
import { modificationOf } from '../sql/modification.ts';
import { bare, walk } from '../sql/walk.ts';

/** Nothing that REPEATABLE READ would make fail where READ COMMITTED waits. */
export function onlyReads(query: Node | undefined): boolean {
  const select = bare(query, 'SelectStmt');
  if (select === undefined || select.intoClause !== undefined) return false;
  let reads = true;
  walk(query, (node, kind) => {
    if (modificationOf(node) !== undefined || kind === 'LockingClause') reads = false;
    return undefined;
  });
  return reads;
}
