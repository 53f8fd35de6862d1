import type { A_Expr, Node } from '@pgsql/types';
import type { Column, Operator } from '../catalog/table.ts';
import { bare, walk, type NodeKind } from '../sql/walk.ts';
import { dependenciesOf, functionNames } from './dependencies.ts';
import type { Reference, Statement } from './statement.ts';
import { surroundingsOf, type Condition } from './surroundings.ts';

/** A predicate before its values are known: PostgreSQL computes them on the client's backend. */
export interface OpenPredicate {
  readonly column: Column;
  readonly operator: Operator;
  /** Each gives one value; `list`: one array of them. Empty for `is …`. */
  readonly values: readonly OpenValue[];
}

export interface OpenValue {
  readonly node: Node;
  readonly list: boolean;
}

/** What the conjuncts around a reference say of its columns and constants. The statement keeps them all. */
export interface Restrictions {
  readonly predicates: readonly OpenPredicate[];
  /** Conjuncts that name no column: where one is not true, the level has no rows. */
  readonly constantConditions: readonly Node[];
  /** LIMIT and OFFSET, where the statement needs no more rows of the reference than both together allow. */
  readonly limit: readonly Node[];
}

export function restrictionsOf(reference: Reference, statement: Statement): Restrictions {
  const { conditions } = surroundingsOf(reference.item, statement);
  const predicates: OpenPredicate[] = [];
  const constantConditions: Node[] = [];
  let complete = true;
  for (const condition of conditions) {
    if (isConstant(condition.node, reference, statement)) {
      constantConditions.push(condition.node);
      continue;
    }
    const found = reads(condition, reference, statement) ? predicatesIn(condition.node, reference, statement) : [];
    predicates.push(...found);
    if (found.length < comparisonsIn(condition.node)) complete = false;
  }
  return { predicates, constantConditions, limit: complete ? limitOf(reference, statement) : [] };
}

/** How many predicates say all that a conjunct says. */
function comparisonsIn(node: Node): number {
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

/** Rows pass a level one by one only where nothing in it sorts, groups, multiplies or locks them. */
function limitOf(reference: Reference, statement: Statement): readonly Node[] {
  const { select, items } = reference.item.level;
  const { targetList, limitCount, limitOffset, limitOption } = select;
  const lists = [
    select.groupClause,
    select.distinctClause,
    select.windowClause,
    select.sortClause,
    select.lockingClause,
  ];
  if (limitCount === undefined || limitOption !== 'LIMIT_OPTION_COUNT' || items.length !== 1) return [];
  if (select.havingClause !== undefined || lists.some((list) => (list ?? []).length > 0)) return [];
  const { aggregate, setReturning } = statement.functions;
  if (functionNames(targetList).some((name) => aggregate.has(name) || setReturning.has(name))) return [];
  const bounds = limitOffset === undefined ? [limitCount] : [limitCount, limitOffset];
  return bounds.every((bound) => isConstant(bound, reference, statement)) ? bounds : [];
}

/** The condition reads this reference and nothing else, where no outer join has made NULLs of it. */
function reads(condition: Condition, reference: Reference, statement: Statement): boolean {
  const needs = dependenciesOf(condition.node, reference.item.level, statement);
  const readsOnlyIt = [...needs.items].every((item) => item === reference.item);
  // A source compares byte by byte: another collation may find more texts equal.
  return condition.seesItem && !needs.unrepeatable && readsOnlyIt && !contains(condition.node, 'CollateClause');
}

/** Computed alike for the whole statement: constants, parameters, stable functions of them. */
function isConstant(node: Node, reference: Reference, statement: Statement): boolean {
  const needs = dependenciesOf(node, reference.item.level, statement);
  return needs.items.size === 0 && !needs.unrepeatable && !contains(node, 'SubLink');
}

function contains(node: Node, wanted: NodeKind): boolean {
  let found = false;
  walk(node, (_node, kind) => {
    if (kind === wanted) found = true;
    return undefined;
  });
  return found;
}

function predicatesIn(node: Node, reference: Reference, statement: Statement): OpenPredicate[] {
  const one = (column: Column | undefined, operator: Operator, ...values: OpenValue[]): OpenPredicate[] =>
    column?.operators.includes(operator) ? [{ column, operator, values }] : [];
  const column = (value: Node | undefined): Column | undefined => columnIn(value, reference, statement);
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
  return pairs.flatMap((pair) => comparison(pair, reference, statement, column, one));
}

function comparison(
  expression: A_Expr,
  reference: Reference,
  statement: Statement,
  column: (value: Node | undefined) => Column | undefined,
  one: (column: Column | undefined, operator: Operator, ...values: OpenValue[]) => OpenPredicate[],
): OpenPredicate[] {
  const { kind, lexpr, rexpr } = expression;
  const operator = operatorOf(expression);
  if (lexpr === undefined || rexpr === undefined || operator === undefined) return [];
  const value = (node: Node): OpenValue => ({ node, list: false });
  const constant = (node: Node): boolean => isConstant(node, reference, statement);
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
      return operator === '=' && constant(rexpr) ? one(column(lexpr), '=', { node: rexpr, list: true }) : [];
    case 'AEXPR_LIKE':
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
};

const MIRRORED: Partial<Record<Operator, Operator>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

function operatorOf(expression: A_Expr): Operator | undefined {
  if (expression.kind === 'AEXPR_BETWEEN') return '>=';
  const name = (expression.name ?? []).map((part) => bare(part, 'String')?.sval ?? '');
  return name.length === 1 || name[0] === 'pg_catalog' ? NAMES[name.at(-1) ?? ''] : undefined;
}

/** The table's own column behind a plain mention of the view's. */
function columnIn(value: Node | undefined, reference: Reference, statement: Statement): Column | undefined {
  const mention = bare(value, 'ColumnRef');
  if (mention === undefined) return undefined;
  const meaning = statement.names.resolve(mention);
  if (meaning.kind !== 'column' || meaning.item !== reference.item) return undefined;
  const position = statement.names.columnsOf(reference.item).names.indexOf(meaning.name);
  return reference.view.columns[position]?.column;
}
