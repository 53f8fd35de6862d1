import type { Node } from '@pgsql/types';
import type { Item } from '../sql/scope.ts';
import { bare } from '../sql/walk.ts';
import type { Statement } from './statement.ts';

/** A column of an item that must be bounded: the required key itself, or what carries it outwards. */
export interface Site {
  readonly item: Item;
  readonly column: string;
  /** Rows without a key may appear in it: more of them when fewer keys are asked for. */
  readonly nullable?: boolean | undefined;
}

/** How an expression gives the site's column: in every row, or NULL in its place in some. */
export type Form = 'always' | 'or null';

/**
 * Whether an expression gives the site's column: also behind what turns an address into its own text and back (`host()`,
 * `abbrev()`, `inet()`, `::inet`), and what leaves it out in some rows (`nullif()`, CASE).
 */
export function formOf(node: Node | undefined, site: Site, keyType: string, statement: Statement): Form | undefined {
  if (node === undefined) return undefined;
  if ('ColumnRef' in node) return isColumn(node, site, statement) ? 'always' : undefined;
  const form = (value: Node | undefined): Form | undefined => formOf(value, site, keyType, statement);
  const coalesce = bare(node, 'CoalesceExpr');
  if (coalesce !== undefined) {
    // The key is never NULL, so coalesce() gives it; a NULL in its place would give the next value.
    return site.nullable !== true && form(coalesce.args?.[0]) === 'always' ? 'always' : undefined;
  }
  const expression = bare(node, 'A_Expr');
  if (expression?.kind === 'AEXPR_NULLIF') return form(expression.lexpr) === undefined ? undefined : 'or null';
  const either = bare(node, 'CaseExpr');
  if (either !== undefined) {
    const results = [...(either.args ?? []).map((when) => bare(when, 'CaseWhen')?.result), either.defresult];
    const given = results.filter((result) => result !== undefined && bare(result, 'A_Const')?.isnull !== true);
    return given.length > 0 && given.every((result) => form(result) !== undefined) ? 'or null' : undefined;
  }
  if (keyType !== 'inet') return undefined;
  const cast = bare(node, 'TypeCast');
  if (cast !== undefined) {
    const names = (cast.typeName?.names ?? []).map((name) => bare(name, 'String')?.sval);
    return names.at(-1) === 'inet' ? form(cast.arg) : undefined;
  }
  const functionCall = bare(node, 'FuncCall');
  const name = (functionCall?.funcname ?? []).map((part) => bare(part, 'String')?.sval);
  const known =
    ['host', 'abbrev', 'inet'].includes(name.at(-1) ?? '') && (name.length === 1 || name[0] === 'pg_catalog');
  return known && functionCall?.args?.length === 1 ? form(functionCall.args[0]) : undefined;
}

/** Whether an expression is the site's column itself. */
export function isColumn(node: Node | undefined, site: Site, statement: Statement): boolean {
  const column = bare(node, 'ColumnRef');
  if (column === undefined || !statement.scopes.levelOf.has(column)) return false;
  const meaning = statement.names.resolve(column);
  return meaning.kind === 'column' && meaning.item === site.item && meaning.name === site.column;
}

export type Comparison = '=' | '<>' | '<=' | '>=';

/** `in` is `= any`. A name without a schema is PostgreSQL's own operator only where no other one can be meant. */
export function isOperator(wanted: Comparison, name: Node[] | undefined, statement: Statement): boolean {
  const parts = (name ?? []).map((part) => bare(part, 'String')?.sval);
  if (parts.length > 1) return parts.length === 2 && parts[0] === 'pg_catalog' && parts[1] === wanted;
  return statement.functions.ownEquality && (parts[0] ?? '=') === wanted;
}

/** Whether two expressions are written alike and name the same columns. */
export function isSame(one: unknown, two: unknown, statement: Statement): boolean {
  if (Array.isArray(one) && Array.isArray(two))
    return one.length === two.length && one.every((each, index) => isSame(each, two[index], statement));
  if (one === null || two === null || typeof one !== 'object' || typeof two !== 'object') return one === two;
  const [first, second] = [bare(one as Node, 'ColumnRef'), bare(two as Node, 'ColumnRef')];
  if (first !== undefined && second !== undefined) {
    const { levelOf } = statement.scopes;
    if (!levelOf.has(first) || !levelOf.has(second)) return false;
    const [a, b] = [statement.names.resolve(first), statement.names.resolve(second)];
    return a.kind === 'column' && b.kind === 'column' && a.item === b.item && a.name === b.name;
  }
  const entries = (value: object): [string, unknown][] =>
    Object.entries(value).filter(([name, member]) => !name.endsWith('location') && member !== undefined);
  const [own, other] = [entries(one), new Map(entries(two))];
  return own.length === other.size && own.every(([name, member]) => isSame(member, other.get(name), statement));
}
