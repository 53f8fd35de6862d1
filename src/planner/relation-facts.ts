import type { RangeVar } from '@pgsql/types';
import type { VirtualView } from '../catalog/table.ts';
import { quoteIdent } from '../sql/substitute.ts';

/** What the client's backend said of a name in FROM. */
export interface RelationFacts {
  readonly oid: number;
  readonly columns: readonly string[];
  /** Set where the name is one of our views. */
  readonly view: VirtualView | undefined;
  /** A view of somebody's that may give other rows each time it is read. */
  readonly unstable?: boolean;
  /** An ordinary table: its rows have versions. */
  readonly stored?: boolean;
}

/** `"schema"."name"` as written, the key under which facts are asked: a name may have dots of its own. */
export function relationName(rangeVar: RangeVar): string {
  const { schemaname, relname = '' } = rangeVar;
  return [...(schemaname === undefined ? [] : [schemaname]), relname].map(quoteIdent).join('.');
}
