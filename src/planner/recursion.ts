import type { CommonTableExpr, Node, SelectStmt } from '@pgsql/types';
import { isWithin, type Cte, type Item, type Level } from '../sql/scope.ts';
import { bare, walk } from '../sql/walk.ts';
import { dependenciesOf } from './dependencies.ts';
import { placeholder, type Reference, type Statement } from './statement.ts';

/** A CTE that names itself: `<base> union [all] <term>`. */
export interface Recursion {
  readonly cte: Cte;
  readonly level: Level;
  readonly base: SelectStmt;
  readonly term: Level;
  /** The one mention of the CTE in its recursive term. */
  readonly self: Item;
}

/** Undefined where the CTE does not name itself, WITH RECURSIVE or not. */
export function recursionOf(cte: Cte): Recursion | undefined {
  const { level } = cte;
  const self = cte.references.find((item) => level !== undefined && isWithin(item.level, level));
  const [, term] = level?.branches ?? [];
  const base = level?.select.larg;
  if (level === undefined || self === undefined || term === undefined || base === undefined) return undefined;
  return isWithin(self.level, term) ? { cte, level, base, term, self } : undefined;
}

/** Those for which no rows stand yet. */
export function recursionsIn(statement: Statement): readonly Recursion[] {
  const all = statement.scopes.levels.flatMap(({ ctes }) => ctes.flatMap((cte) => recursionOf(cte) ?? []));
  return all.filter(({ cte, level }) => bare(cte.node.ctequery, 'SelectStmt') === level.select);
}

/** Whether it is for us to compute its levels: what reads a row around it is computed for each of those. */
export function isDrivable({ cte, level }: Recursion, statement: Statement): boolean {
  if (level.parent === undefined) return false;
  return dependenciesOf(cte.node.ctequery, level.parent, statement).items.size === 0;
}

export function isInTerm(reference: Reference, { term }: Recursion): boolean {
  return isWithin(reference.item.level, term);
}

/** Also below CTEs that nothing but the recursive term reads. */
export function isReadInTerm(reference: Reference, { term }: Recursion): boolean {
  return isRepeated(reference.item.level, term);
}

function isRepeated(level: Level, term: Level, seen: readonly Cte[] = []): boolean {
  for (let at: Level | undefined = level; at !== undefined; at = at.parent) {
    if (at === term) return true;
    const own = at;
    if (own.place.kind !== 'cte' || seen.includes(own.place.cte)) continue;
    const { cte } = own.place;
    const readers = cte.references.filter((item) => !isWithin(item.level, own));
    if (readers.length > 0 && readers.every((item) => isRepeated(item.level, term, [...seen, cte]))) return true;
  }
  return false;
}

/** Whether a statement may end where a recursion alone does not: some of its rows may be enough for what is around it. */
export function mayEndBefore({ level }: Recursion, { scopes }: Statement): boolean {
  return scopes.levels.some(
    (other) => !isWithin(other, level) && (other.select.limitCount !== undefined || other.place.kind === 'sublink'),
  );
}

export function isDefinedIn(cte: CommonTableExpr, value: unknown): boolean {
  let found = false;
  walk(value, (node, kind) => {
    if (kind === 'CommonTableExpr' && bare(node, 'CommonTableExpr') === cte) found = true;
    return undefined;
  });
  return found;
}

/** All rows of a recursive CTE, given its own query with the WITH that this needs. */
export function wholeOf({ name }: Cte, { withClause }: SelectStmt): SelectStmt {
  const all = selectFrom({ RangeVar: { relname: name, inh: true, relpersistence: 'p' } });
  return withClause === undefined ? all : { ...all, withClause };
}

/** `select * from <what the placeholder stands for>` */
export function selectAll(id: number): SelectStmt {
  return selectFrom({ RangeVar: { relname: placeholder('level', id), inh: true, relpersistence: 'p' } });
}

export function selectFrom(node: Node): SelectStmt {
  return {
    targetList: [{ ResTarget: { val: { ColumnRef: { fields: [{ A_Star: {} }] } } } }],
    fromClause: [node],
    limitOption: 'LIMIT_OPTION_DEFAULT',
    op: 'SETOP_NONE',
  };
}

/** The rows of the non-recursive term: UNION removes equal ones among these too. */
export function firstLevel(base: SelectStmt, { level }: Recursion): SelectStmt {
  if (level.select.all === true) return base;
  const subselect: Node = { RangeSubselect: { subquery: { SelectStmt: base }, alias: { aliasname: 'base' } } };
  return { ...selectFrom(subselect), distinctClause: [{} as Node] };
}

/**
 * What a level adds. A set operation with no row of the level before gives its columns that level's types, as the
 * recursion itself does; UNION leaves out what any level before had.
 */
export function nextLevel(term: SelectStmt, { level }: Recursion, working: number, all: number): SelectStmt {
  const nothing: SelectStmt = { ...selectAll(working), whereClause: { A_Const: { boolval: {} } } };
  const typed: SelectStmt = {
    op: 'SETOP_UNION',
    all: true,
    larg: nothing,
    rarg: term,
    limitOption: 'LIMIT_OPTION_DEFAULT',
  };
  if (level.select.all === true) return typed;
  return { op: 'SETOP_EXCEPT', larg: typed, rarg: selectAll(all), limitOption: 'LIMIT_OPTION_DEFAULT' };
}
