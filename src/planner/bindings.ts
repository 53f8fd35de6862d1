import type { A_Expr, Node, SelectStmt, SubLink } from '@pgsql/types';
import { bare } from '../sql/walk.ts';
import type { Clause, Item, Level } from '../sql/scope.ts';
import { conjunctsOf, dependenciesOf, functionNames, hasWindow } from './dependencies.ts';
import { and, isNullable, surroundingsOf, type Condition } from './joins.ts';
import type { Statement } from './statement.ts';

/** A column of an item that must be bounded: the required key itself, or what carries it outwards. */
export interface Site {
  readonly item: Item;
  readonly column: string;
  /** Rows without a key may appear in it: more of them when fewer keys are asked for. */
  readonly nullable?: boolean | undefined;
}

/** An equality that bounds a site: the queries whose (single) output columns together give every key that can matter. */
export interface Binding {
  readonly site: Site;
  readonly sources: readonly SelectStmt[];
  /** The conjunct that says so; undefined for USING and NATURAL. */
  readonly condition: Node | undefined;
  /** Where in its level the sources stand, when the site is no item of it. */
  readonly clause?: Clause | undefined;
  /** A subquery whose answer would change if the table were empty: it must be padded. */
  readonly padded?: Padding | undefined;
}

/**
 * `x not in (select key …)` is TRUE over no rows and NULL over some where x is NULL. The table counts as never empty,
 * so the subquery gets a row of NULL wherever x is none of the key's type.
 */
export interface Padding {
  readonly sublink: SubLink;
  readonly test: Node;
  readonly keyType: string;
}

/** One way to bound a key: all of its bindings together (the references of a CTE each need one). */
export type Alternative = readonly Binding[];

/** The ways in which the statement bounds a site, in order of preference. Empty: it does not. */
export function alternativesFor(
  site: Site,
  keyType: string,
  statement: Statement,
  seen: readonly Level[] = [],
): readonly Alternative[] {
  const own = bindingsOf(site, keyType, statement).map((binding): Alternative => [binding]);
  const { level } = site.item;
  if (seen.includes(level)) return own;
  return [...own, ...throughLevel(site, keyType, statement, [...seen, level])];
}

function bindingsOf(site: Site, keyType: string, statement: Statement): Binding[] {
  const { conditions, merged } = surroundingsOf(site.item, statement);
  const found: Binding[] = [];
  for (const condition of conditions) {
    if (!condition.seesItem) continue;
    const sources = sourcesIn(condition.node, site, keyType, statement);
    if (sources !== undefined) found.push({ site, sources, condition: condition.node });
  }
  for (const { column, other } of merged) {
    if (column === site.column && statement.functions.ownEquality)
      found.push({ site, sources: [selectOf(other)], condition: undefined });
  }
  // A list or a subquery written next to the key is as small as its author meant it to be; a join may be anything.
  return found.sort((a, b) => rank(a) - rank(b));
}

function rank(binding: Binding): number {
  const { condition } = binding;
  const kind = bare(condition, 'A_Expr')?.kind;
  if (kind === 'AEXPR_IN' || kind === 'AEXPR_OP_ANY') return 0;
  return condition !== undefined && 'SubLink' in condition ? 1 : 2;
}

/** The sources of keys in a condition: all of an OR must give one. */
function sourcesIn(node: Node, site: Site, keyType: string, statement: Statement): SelectStmt[] | undefined {
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

/** `in` is `= any`. A name without a schema is PostgreSQL's own operator only where no other one can be meant. */
function isOperator(wanted: '=' | '<>', name: Node[] | undefined, statement: Statement): boolean {
  const parts = (name ?? []).map((part) => bare(part, 'String')?.sval);
  if (parts.length > 1) return parts.length === 2 && parts[0] === 'pg_catalog' && parts[1] === wanted;
  return statement.functions.ownEquality && (parts[0] ?? '=') === wanted;
}

/** The site's column, also behind what turns an address into its own text and back: host(), abbrev(), inet(), ::inet. */
function isSite(node: Node | undefined, site: Site, keyType: string, statement: Statement): boolean {
  if (node === undefined) return false;
  const column = bare(node, 'ColumnRef');
  if (column !== undefined) {
    const meaning = statement.names.resolve(column);
    return meaning.kind === 'column' && meaning.item === site.item && meaning.name === site.column;
  }
  if (keyType !== 'inet') return false;
  const cast = bare(node, 'TypeCast');
  if (cast !== undefined) {
    const names = (cast.typeName?.names ?? []).map((name) => bare(name, 'String')?.sval);
    return names.at(-1) === 'inet' && isSite(cast.arg, site, keyType, statement);
  }
  const functionCall = bare(node, 'FuncCall');
  const name = (functionCall?.funcname ?? []).map((part) => bare(part, 'String')?.sval);
  const known =
    ['host', 'abbrev', 'inet'].includes(name.at(-1) ?? '') && (name.length === 1 || name[0] === 'pg_catalog');
  return known && functionCall?.args?.length === 1 && isSite(functionCall.args[0], site, keyType, statement);
}

/** A level that bounds nothing itself may be bounded from outside, by the column that carries the key out of it. */
function throughLevel(
  site: Site,
  keyType: string,
  statement: Statement,
  seen: readonly Level[],
): readonly Alternative[] {
  const { level } = site.item;
  const output = outputOf(site, statement);
  return output === undefined ? [] : outside(level, output, keyType, statement, seen);
}

function outside(
  level: Level,
  output: Output,
  keyType: string,
  statement: Statement,
  seen: readonly Level[],
): readonly Alternative[] {
  const { place, parent } = level;
  switch (place.kind) {
    case 'statement':
      return [];
    case 'branch': {
      if (parent === undefined || !keepsRows(parent)) return [];
      const name = statement.names.outputs(parent).names[output.index];
      return name === undefined ? [] : outside(parent, { ...output, name }, keyType, statement, seen);
    }
    case 'from': {
      const { nullable } = output;
      const column = statement.names.columnsOf(place.item).names[output.index];
      return column === undefined
        ? []
        : alternativesFor({ item: place.item, column, nullable }, keyType, statement, seen);
    }
    case 'cte': {
      // Recursion is driven level by level elsewhere; here each mention must bound the key.
      if (place.cte.recursive) return [];
      const { nullable } = output;
      const each = place.cte.references.map((item) => {
        const column = statement.names.columnsOf(item).names[output.index];
        return column === undefined ? [] : alternativesFor({ item, column, nullable }, keyType, statement, seen);
      });
      const firsts = each.map((alternatives) => alternatives[0]);
      return firsts.every((first) => first !== undefined) && firsts.length > 0 ? [firsts.flat()] : [];
    }
    case 'sublink': {
      const { node, clause } = place;
      if (parent === undefined || node.testexpr === undefined) return [];
      const row = bare(node.testexpr, 'RowExpr')?.args;
      const test = (row ?? [node.testexpr])[output.index];
      if (test === undefined) return [];
      const any = node.subLinkType === 'ANY_SUBLINK' && isOperator('=', node.operName, statement);
      const none = node.subLinkType === 'ALL_SUBLINK' && isOperator('<>', node.operName, statement);
      if (!any && !none) return [];
      // As a conjunct of WHERE, "no row" and "no such row" are the same answer.
      const condition = clause.kind === 'where' && any ? conjunctOf(node, parent) : undefined;
      if (condition === undefined && (output.nullable || row !== undefined)) return [];
      const padded = condition === undefined ? { sublink: node, test, keyType } : undefined;
      const site = { item: outsideItem(parent), column: '' };
      return [[{ site, sources: [selectOf(test)], condition, clause, padded }]];
    }
  }
}

function conjunctOf(sublink: SubLink, level: Level): Node | undefined {
  return conjunctsOf(level.select.whereClause).find((part) => bare(part, 'SubLink') === sublink);
}

/** Stands for "no item of this level": a key that comes from an expression of the level alone. */
function outsideItem(level: Level): Item {
  return {
    level,
    node: { A_Star: {} },
    kind: 'other',
    name: undefined,
    rangeVar: undefined,
    cte: undefined,
    subquery: undefined,
  };
}

interface Output {
  readonly name: string;
  readonly index: number;
  readonly nullable: boolean;
}

/** The output column that carries a site's column out of its level unchanged, if the level drops no row by others. */
function outputOf(site: Site, statement: Statement): Output | undefined {
  const { level } = site.item;
  if (!keepsRows(level)) return undefined;
  const { names, open } = statement.names.outputs(level);
  if (open) return undefined;
  const index = statement.names
    .passedThrough(level)
    .findIndex((through) => through?.item === site.item && through.name === site.column);
  const { groupClause, targetList, havingClause } = level.select;
  const calls = functionNames(targetList).some((name) => statement.functions.aggregate.has(name));
  const aggregates = (groupClause ?? []).length > 0 || havingClause !== undefined || calls;
  if (index === -1 || (aggregates && !isGroupedBy(site, level, statement))) return undefined;
  return { name: names[index] ?? '', index, nullable: site.nullable === true || isNullable(site.item, statement) };
}

/** Whether which rows with one key appear does not depend on rows with other keys. */
function keepsRows(level: Level): boolean {
  const { limitCount, limitOffset, distinctClause, targetList } = level.select;
  const distinctOn = (distinctClause ?? []).some((node) => Object.keys(node).length > 0);
  return limitCount === undefined && limitOffset === undefined && !distinctOn && !hasWindow(targetList);
}

function isGroupedBy(site: Site, level: Level, statement: Statement): boolean {
  return (level.select.groupClause ?? []).some((node) => {
    const position = bare(node, 'A_Const')?.ival?.ival;
    const target = position === undefined ? undefined : bare(level.select.targetList?.[position - 1], 'ResTarget')?.val;
    return isSite(target ?? node, site, '', statement);
  });
}

export function selectOf(value: Node): SelectStmt {
  return { targetList: [{ ResTarget: { val: value } }], limitOption: 'LIMIT_OPTION_DEFAULT', op: 'SETOP_NONE' };
}

export function columnOf(...fields: string[]): Node {
  return { ColumnRef: { fields: fields.map((sval) => ({ String: { sval } })) } };
}

export function call(name: string, args: Node[], schema = 'pg_catalog'): Node {
  return {
    FuncCall: {
      funcname: [{ String: { sval: schema } }, { String: { sval: name } }],
      args,
      funcformat: 'COERCE_EXPLICIT_CALL',
    },
  };
}

function castTo(arg: Node, type: string): Node {
  const array = type.endsWith('[]');
  const name = array ? type.slice(0, -2) : type;
  return {
    TypeCast: {
      arg,
      typeName: {
        names: [{ String: { sval: 'pg_catalog' } }, { String: { sval: name } }],
        typemod: -1,
        ...(array ? { arrayBounds: [{ Integer: { ival: -1 } }] } : {}),
      },
    },
  };
}

export type { Condition };
