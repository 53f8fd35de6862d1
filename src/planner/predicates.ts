import type { A_Expr, Node } from '@pgsql/types';
import type { Column, Operator } from '../catalog/table.ts';
import type { Level } from '../sql/scope.ts';
import { bare, walk, type NodeKind } from '../sql/walk.ts';
import { dependenciesOf } from './dependencies.ts';
import { isSingle } from './function-body.ts';
import type { Statement } from './statement.ts';

/** A predicate before its values are known: PostgreSQL computes them on the client's backend. */
export interface OpenPredicate {
  readonly column: Column;
  /** Of a jsonb column: the place within it whose text is compared; empty: all of it. */
  readonly steps?: readonly (string | number)[];
  readonly operator: Operator;
  /** Each gives one value; `list`: one array of them. Empty for `is …`. */
  readonly values: readonly OpenValue[];
}

export interface OpenValue {
  readonly node: Node;
  readonly list: boolean;
}

/** The table's own column that an expression is a plain mention of. */
export type ColumnOf = (value: Node | undefined) => Column | undefined;

/** How many predicates say all that a conjunct says. */
export function comparisonsIn(node: Node): number {
  const expression = bare(node, 'A_Expr');
  if (expression?.kind === 'AEXPR_BETWEEN') return 2;
  return rowsOf(expression)?.length ?? 1;
}

/** `(a, b) = (c, d)` compares a with c and b with d. */
function rowsOf(expression: A_Expr | undefined): readonly (readonly [left: Node, right: Node])[] | undefined {
  const left = bare(expression?.lexpr, 'RowExpr')?.args;
  const right = bare(expression?.rexpr, 'RowExpr')?.args;
  if (expression === undefined || left === undefined || left.length !== right?.length) return undefined;
  if (expression.kind !== 'AEXPR_OP' || operatorOf(expression) !== '=') return undefined;
  return left.map((own, index) => [own, right[index] as Node]);
}

/** Computed alike for the whole statement: constants, parameters, stable functions of them. */
export function isConstant(node: Node, level: Level, statement: Statement): boolean {
  const needs = dependenciesOf(node, level, statement);
  const isRow = needs.aggregates.size === 0 && !needs.windows;
  return needs.items.size === 0 && !needs.unrepeatable && isRow && !readsRows(node);
}

/** `(select 30)` is a value like 30; a subquery that reads a relation is a query of its own. */
function readsRows(node: Node): boolean {
  let found = false;
  walk(node, (inner, kind) => {
    if (kind !== 'SubLink') return undefined;
    const link = bare(inner, 'SubLink');
    const query = bare(link?.subselect, 'SelectStmt');
    if (link?.subLinkType !== 'EXPR_SUBLINK' || query === undefined || !isSingle(query)) found = true;
    return undefined;
  });
  return found;
}

export function contains(node: Node, wanted: NodeKind): boolean {
  let found = false;
  walk(node, (_node, kind) => {
    if (kind === wanted) found = true;
    return undefined;
  });
  return found;
}

/** What a conjunct of a level says of the columns of a table; empty where it says nothing that a source could take. */
export function predicatesIn(node: Node, column: ColumnOf, level: Level, statement: Statement): OpenPredicate[] {
  const one = (column: Column | undefined, operator: Operator, ...values: OpenValue[]): OpenPredicate[] =>
    column?.operators.includes(operator) && column.type !== 'jsonb' ? [{ column, operator, values }] : [];
  const nullTest = bare(node, 'NullTest');
  if (nullTest !== undefined)
    return one(column(nullTest.arg), nullTest.nulltesttype === 'IS_NULL' ? 'is null' : 'is not null');
  const booleanTest = bare(node, 'BooleanTest');
  if (booleanTest?.booltesttype === 'IS_TRUE') return one(column(booleanTest.arg), 'is true');
  if (booleanTest?.booltesttype === 'IS_FALSE') return one(column(booleanTest.arg), 'is false');
  const not = bare(node, 'BoolExpr');
  // A boolean column that stands alone: NULL fails the conjunct either way.
  if (not?.boolop === 'NOT_EXPR') return one(column(not.args?.[0]), 'is false');
  if ('ColumnRef' in node) return one(column(node), 'is true');
  const expression = bare(node, 'A_Expr');
  if (expression === undefined) return [];
  const pairs = rowsOf(expression)?.map(([lexpr, rexpr]) => ({ ...expression, lexpr, rexpr })) ?? [expression];
  const constant = (value: Node): boolean => isConstant(value, level, statement);
  return pairs.flatMap((pair) => comparison(pair, constant, column, one));
}

function comparison(
  expression: A_Expr,
  constant: (value: Node) => boolean,
  column: ColumnOf,
  one: (column: Column | undefined, operator: Operator, ...values: OpenValue[]) => OpenPredicate[],
): OpenPredicate[] {
  const { kind, lexpr, rexpr } = expression;
  const operator = operatorOf(expression);
  if (lexpr === undefined || rexpr === undefined || operator === undefined) return [];
  const value = (node: Node): OpenValue => ({ node, list: false });
  const list = bare(rexpr, 'List')?.items ?? [];
  switch (kind) {
    case 'AEXPR_OP': {
      const swapped = MIRRORED[operator];
      if (constant(rexpr)) return one(column(lexpr), operator, value(rexpr));
      return constant(lexpr) && swapped !== undefined ? one(column(rexpr), swapped, value(lexpr)) : [];
    }
    case 'AEXPR_IN':
      return operator === '=' && list.every(constant) ? one(column(lexpr), '=', ...list.map(value)) : [];
    case 'AEXPR_OP_ANY':
      return isListed(operator) && constant(rexpr) ? one(column(lexpr), operator, { node: rexpr, list: true }) : [];
    case 'AEXPR_LIKE':
    case 'AEXPR_ILIKE':
      return constant(rexpr) ? one(column(lexpr), operator, value(rexpr)) : [];
    case 'AEXPR_BETWEEN': {
      const [low, high] = list;
      if (low === undefined || high === undefined) return [];
      return [
        ...(constant(low) ? one(column(lexpr), '>=', value(low)) : []),
        ...(constant(high) ? one(column(lexpr), '<=', value(high)) : []),
      ];
    }
    default:
      return [];
  }
}

/** `= any (…)`, and patterns any of which will do. */
export function isListed(operator: Operator): boolean {
  return operator === '=' || operator === 'ilike' || operator === '~' || operator === '~*';
}

const NAMES: Readonly<Record<string, Operator>> = {
  '=': '=',
  '<>': '<>',
  '!=': '<>',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
  '~~': 'like',
  '!~~': 'not like',
  '~~*': 'ilike',
  '~': '~',
  '~*': '~*',
};

export const MIRRORED: Partial<Record<Operator, Operator>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

function isBetween(kind: A_Expr['kind']): boolean {
  switch (kind) {
    case 'AEXPR_BETWEEN':
    case 'AEXPR_NOT_BETWEEN':
    case 'AEXPR_BETWEEN_SYM':
    case 'AEXPR_NOT_BETWEEN_SYM':
      return true;
    default:
      return false;
  }
}

export function operatorOf(expression: A_Expr): Operator | undefined {
  if (isBetween(expression.kind)) return '>=';
  const name = (expression.name ?? []).map((part) => bare(part, 'String')?.sval ?? '');
  return name.length === 1 || name[0] === 'pg_catalog' ? NAMES[name.at(-1) ?? ''] : undefined;
}
