import type { A_Expr, Node, SelectStmt, SubLink } from '@pgsql/types';
import { bare } from '../sql/walk.ts';
import { conjunctsOf, dependenciesOf, functionNames } from './dependencies.ts';
import { and, call, castTo, columnOf, selectOf } from './nodes.ts';
import { isOperator, isSite, type Site } from './sites.ts';
import type { Statement } from './statement.ts';

/** The sources of keys in a condition: all of an OR must give one. */
export function sourcesIn(node: Node, site: Site, keyType: string, statement: Statement): SelectStmt[] | undefined {
  const or = bare(node, 'BoolExpr');
  if (or?.boolop === 'OR_EXPR') {
    const each = (or.args ?? []).map((argument) => {
      const parts = conjunctsOf(argument).map((part) => sourcesIn(part, site, keyType, statement));
      return parts.find((part) => part !== undefined);
    });
    return each.every((sources) => sources !== undefined) ? each.flat() : undefined;
  }
  const sublink = bare(node, 'SubLink');
  if (sublink !== undefined) return sourcesOfSublink(sublink, site, keyType, statement);
  const expression = bare(node, 'A_Expr');
  return expression === undefined ? undefined : sourcesOfExpression(expression, site, keyType, statement);
}

function sourcesOfSublink(
  sublink: SubLink,
  site: Site,
  keyType: string,
  statement: Statement,
): SelectStmt[] | undefined {
  const query = bare(sublink.subselect, 'SelectStmt');
  if (query === undefined) return undefined;
  if (sublink.subLinkType === 'EXISTS_SUBLINK') return sourcesOfExists(query, site, keyType, statement);
  if (sublink.subLinkType !== 'ANY_SUBLINK' || !isOperator('=', sublink.operName, statement)) return undefined;
  const row = bare(sublink.testexpr, 'RowExpr')?.args;
  if (row === undefined) return isSite(sublink.testexpr, site, keyType, statement) ? [query] : undefined;
  const index = row.findIndex((each) => isSite(each, site, keyType, statement));
  if (index === -1) return undefined;
  const names = row.map((_each, at) => `c${String(at)}`);
  const alias = { aliasname: 'row', colnames: names.map((sval) => ({ String: { sval } })) };
  const subselect: Node = { RangeSubselect: { subquery: { SelectStmt: query }, alias, lateral: true } };
  return [{ ...selectOf(columnOf('row', names[index] ?? '')), fromClause: [subselect] }];
}

/** `exists (select from t where t.x = site and …)` says what `site in (select t.x from t where …)` says. */
function sourcesOfExists(
  query: SelectStmt,
  site: Site,
  keyType: string,
  statement: Statement,
): SelectStmt[] | undefined {
  const { fromClause, whereClause, groupClause, havingClause, lockingClause } = query;
  const plain = (groupClause ?? []).length === 0 && (lockingClause ?? []).length === 0 && havingClause === undefined;
  const level = statement.scopes.levels.find(({ select }) => select === query);
  if (fromClause === undefined || !plain || level === undefined || isZero(query.limitCount)) return undefined;
  // An aggregate without GROUP BY has a row whatever it reads.
  if (functionNames(query.targetList).some((name) => statement.functions.aggregate.has(name))) return undefined;
  const conjuncts = conjunctsOf(whereClause);
  const readsSite = (node: Node): boolean => dependenciesOf(node, level, statement).items.has(site.item);
  const others = conjuncts.filter((node) => !readsSite(node) && !('SubLink' in node));
  for (const node of conjuncts) {
    const expression = bare(node, 'A_Expr');
    const [source, ...more] = (expression && sourcesOfExpression(expression, site, keyType, statement)) ?? [];
    if (source === undefined || more.length > 0 || readsSite({ SelectStmt: source })) continue;
    return [{ ...source, fromClause, ...(others.length === 0 ? {} : { whereClause: and(others) }) }];
  }
  return undefined;
}

function isZero(limit: Node | undefined): boolean {
  const value = bare(limit, 'A_Const');
  return value?.ival !== undefined && (value.ival.ival ?? 0) === 0;
}

function sourcesOfExpression(
  expression: A_Expr,
  site: Site,
  keyType: string,
  statement: Statement,
): SelectStmt[] | undefined {
  const { lexpr, rexpr, kind } = expression;
  if (!isOperator('=', expression.name, statement) || lexpr === undefined || rexpr === undefined) return undefined;
  switch (kind) {
    case 'AEXPR_OP':
    case 'AEXPR_NOT_DISTINCT': {
      if (kind === 'AEXPR_NOT_DISTINCT' && site.nullable === true) return undefined;
      const rows = [bare(lexpr, 'RowExpr')?.args, bare(rexpr, 'RowExpr')?.args];
      const [left = [lexpr], right = [rexpr]] = rows;
      for (const [index, one] of left.entries()) {
        const two = right[index];
        if (two === undefined) continue;
        if (isSite(one, site, keyType, statement)) return [selectOf(two)];
        if (isSite(two, site, keyType, statement)) return [selectOf(one)];
      }
      return undefined;
    }
    case 'AEXPR_IN': {
      const items = bare(rexpr, 'List')?.items ?? [];
      const [only] = items;
      const index = (bare(lexpr, 'RowExpr')?.args ?? []).findIndex((one) => isSite(one, site, keyType, statement));
      const column = items.flatMap((item) => bare(item, 'RowExpr')?.args?.[index] ?? []);
      if (index !== -1) return column.length === items.length ? listSources(column) : undefined;
      if (isSite(lexpr, site, keyType, statement)) return listSources(items);
      return items.length === 1 && isSite(only, site, keyType, statement) ? [selectOf(lexpr)] : undefined;
    }
    case 'AEXPR_OP_ANY': {
      if (!isSite(lexpr, site, keyType, statement)) return undefined;
      // An untyped literal takes its type from the key, which unnest() alone would not give it.
      const array = 'A_Const' in rexpr ? castTo(rexpr, `${keyType}[]`) : rexpr;
      return [selectOf(call('unnest', [array]))];
    }
    default:
      return undefined;
  }
}

/** Hundreds of literals are one array: a SELECT each would take longer to plan than the calls to make. */
function listSources(items: readonly Node[]): SelectStmt[] {
  const literals = items.filter((item) => bare(item, 'A_Const')?.sval !== undefined);
  const others = items.filter((item) => !literals.includes(item));
  const array: Node = { A_ArrayExpr: { elements: literals } };
  const together = literals.length === 0 ? [] : [selectOf(call('unnest', [castTo(array, 'text[]')]))];
  return [...together, ...others.map((item) => selectOf(item))];
}
