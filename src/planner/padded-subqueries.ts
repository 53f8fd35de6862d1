import type { Node, SubLink } from '@pgsql/types';
import { ERRORS } from '../kernel/errors.ts';
import { deparse } from '../sql/deparse.ts';
import { parseOwn } from '../sql/parse.ts';
import { bare, isInText, withoutLocations } from '../sql/walk.ts';
import type { Padding } from './bindings.ts';
import { selectOf } from './nodes.ts';
import { isAlways, mayStandBelow, restOf } from './padding.ts';
import type { Planning } from './planning.ts';
import type { Reference } from './statement.ts';

/** A subquery that the statement reads with a row of NULL more, where a condition holds. */
export interface PaddedSubquery {
  /** The subquery in the user's text. */
  readonly node: Node;
  /** What stands before and after its own text; references in the latter are placeholders. */
  readonly around: readonly [before: string, after: string];
}

/** The subqueries of a statement that a look-up would leave emptier than they are. */
export class PaddedSubqueries {
  readonly all: PaddedSubquery[] = [];
  readonly #planning: Planning;
  readonly #known = new Map<SubLink, Set<string | undefined>>();

  constructor(planning: Planning) {
    this.#planning = planning;
  }

  canPad(padding: Padding, reference: Reference): boolean {
    return this.#around(padding, reference) !== undefined;
  }

  /** Once other tables have been asked it can be said whether the subquery has rows. */
  waitsToPad({ sublink }: Padding, { item }: Reference): boolean {
    const rest = restOf(item, sublink, this.#planning.statement);
    return rest !== undefined && !this.#planning.isHydrated(rest.query);
  }

  pad(padding: Padding, reference: Reference): void {
    const { sublink } = padding;
    const around = this.#around(padding, reference);
    const { subselect } = sublink;
    const key = around?.join('');
    if (subselect === undefined || around === undefined || this.#knownOf(sublink).has(key)) return;
    // Each branch of UNION has rows of its own.
    this.#known.set(sublink, this.#knownOf(sublink).add(key));
    this.#planning.statement.padded.add(sublink);
    this.all.push({ node: subselect, around });
    // A level that is evaluated is read from the tree, not from the user's text.
    sublink.subselect = within(around, subselect);
  }

  #knownOf(sublink: SubLink): Set<string | undefined> {
    return this.#known.get(sublink) ?? new Set();
  }

  /**
   * Undefined where it cannot be written into the statement's text. Whether any row passes what stands beside the look-up
   * is known where one that was asked for does; where none does, the statement fails as it comes to a NULL.
   */
  #around({ sublink, test, keyType }: Padding, { item, view }: Reference): PaddedSubquery['around'] | undefined {
    const { statement } = this.#planning;
    const inner = statement.scopes.levels.find(({ place }) => place.kind === 'sublink' && place.node === sublink);
    const rest = restOf(item, sublink, statement);
    // The test is written once more into the statement's text.
    if (!this.#planning.isHydrated(test) || !isInText(sublink.subselect)) return undefined;
    if (!mayStandBelow(test, inner?.parent, statement)) return undefined;
    const value = `(${deparse({ SelectStmt: selectOf(test) }).slice('SELECT '.length)})`;
    const isNull = `${['inet', 'cidr'].includes(keyType) ? `pg_catalog.try_inet(${value}::pg_catalog.text)` : value} is null`;
    const isKnown = rest !== undefined && this.#planning.isHydrated(rest.query);
    const mayHaveRows = !isKnown || isAlways(rest.query) ? '' : ` and exists (${deparse({ SelectStmt: rest.query })})`;
    const row = `select null::${keyType} where`;
    if (isKnown && !rest.filtered) return ['select * from (', `) as _ union all ${row} ${isNull}${mayHaveRows}`];
    // CASE, because PostgreSQL is free to compute the parts of AND in any order.
    const unknown = `case when ${isNull}${mayHaveRows} and not exists (select from ${ROWS}) then ${raised(view.name)} end`;
    return [`with ${ROWS} as (`, `) select * from ${ROWS} union all ${row} ${unknown}`];
  }
}

/** The subquery's own rows, in a subquery that fails where they do not say enough. */
const ROWS = 'trailhound_subquery';

/** A condition that is never computed to its end. */
function raised(name: string): string {
  const { sqlstate } = ERRORS.not_supported;
  const texts = [
    sqlstate,
    `whether a NULL is in this subquery depends on rows of ${name} that nothing asks for`,
    'IN over no row is false and NOT IN true, over any row they are NULL. No value that was looked up gives the subquery a row, and others may.',
    'Compare what is not NULL: write x is not null and x not in (select ...), or not exists (select ... where ... = x).',
  ];
  return `(trailhound.raise(${texts.map((text) => `'${text.replaceAll("'", "''")}'`).join(', ')})) is not null`;
}

/** The subquery's tree in that of a text around it. */
function within([before, after]: PaddedSubquery['around'], subquery: Node): Node {
  const node = withoutLocations(parseOwn(`${before}select${after}`));
  const query = bare(node, 'SelectStmt');
  const subselect = bare(query?.larg?.fromClause?.[0], 'RangeSubselect');
  const cte = bare(query?.withClause?.ctes?.[0], 'CommonTableExpr');
  if (cte !== undefined) cte.ctequery = subquery;
  else if (subselect !== undefined) subselect.subquery = subquery;
  else throw new Error('no place for the subquery');
  return node;
}
