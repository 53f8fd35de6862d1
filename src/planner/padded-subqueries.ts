import type { Node, SubLink } from '@pgsql/types';
import { deparse } from '../sql/deparse.ts';
import { parseOwn } from '../sql/parse.ts';
import { bare, isInText, walk, withoutLocations } from '../sql/walk.ts';
import type { Padding } from './bindings.ts';
import { selectOf } from './nodes.ts';
import { mayStandBelow, restOf } from './padding.ts';
import { isPlaceholder, type Reference, type Statement } from './statement.ts';

/** A subquery that the statement reads with a row of NULL more, where a condition holds. */
export interface PaddedSubquery {
  /** The subquery in the user's text. */
  readonly node: Node;
  readonly row: string;
}

/** The subqueries of a statement that a look-up would leave emptier than they are. */
export class PaddedSubqueries {
  readonly all: PaddedSubquery[] = [];
  readonly #statement: Statement;
  readonly #rowsOf = new Map<SubLink, ReadonlySet<string>>();

  constructor(statement: Statement) {
    this.#statement = statement;
  }

  canPad(padding: Padding, reference: Reference): boolean {
    return this.#rowOf(padding, reference) !== undefined;
  }

  pad(padding: Padding, reference: Reference): void {
    const { sublink } = padding;
    const row = this.#rowOf(padding, reference);
    const { subselect } = sublink;
    if (subselect === undefined || row === undefined || this.#rowsOf.get(sublink)?.has(row) === true) return;
    // Each branch of UNION has rows of its own.
    this.#rowsOf.set(sublink, new Set([...(this.#rowsOf.get(sublink) ?? []), row]));
    this.#statement.padded.add(sublink);
    this.all.push({ node: subselect, row });
    // A level that is evaluated is read from the tree, not from the user's text.
    sublink.subselect = withRow(subselect, row);
  }

  /** Undefined where it cannot be written into the statement's text, or the subquery may be empty for other reasons. */
  #rowOf({ sublink, test, keyType }: Padding, { item }: Reference): string | undefined {
    const inner = this.#statement.scopes.levels.find(({ place }) => place.kind === 'sublink' && place.node === sublink);
    const rest = restOf(item, sublink, this.#statement);
    // The test is written once more into the statement's text, where a placeholder means nothing.
    if (rest === undefined || namesPlaceholder(test) || namesPlaceholder(rest)) return undefined;
    if (!isInText(sublink.subselect) || !mayStandBelow(test, inner?.parent, this.#statement)) return undefined;
    const value = `(${deparse({ SelectStmt: selectOf(test) }).slice('SELECT '.length)})`;
    const typed = keyType === 'inet' ? `pg_catalog.try_inet(${value}::pg_catalog.text)` : value;
    const isBare = rest.fromClause === undefined && rest.whereClause === undefined;
    const exists = isBare ? '' : ` and exists (${deparse({ SelectStmt: rest })})`;
    return `select null::${keyType} where ${typed} is null${exists}`;
  }
}

function namesPlaceholder(value: unknown): boolean {
  let found = false;
  walk(value, (node, kind) => {
    if (kind === 'RangeVar' && isPlaceholder(bare(node, 'RangeVar')?.relname ?? '')) found = true;
    return undefined;
  });
  return found;
}

/** `select * from (<subquery>) as _ union all <row>` */
function withRow(subquery: Node, row: string): Node {
  const node = withoutLocations(parseOwn(`select * from (select) as _ union all ${row}`));
  const first = bare(node, 'SelectStmt')?.larg?.fromClause?.[0];
  const subselect = bare(first, 'RangeSubselect');
  if (subselect === undefined) throw new Error('no place for the subquery');
  subselect.subquery = subquery;
  return node;
}
