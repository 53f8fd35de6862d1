import type { Node, SubLink } from '@pgsql/types';
import { bare } from '../sql/walk.ts';
import type { Clause, Item, Level } from '../sql/scope.ts';
import { conjunctsOf, dependenciesOf } from './dependencies.ts';
import { sourcesOfInterval } from './equalities.ts';
import { inSublink, type Standpoint } from './frames.ts';
import { rankOf, sourceOf, type KeySource, type Sought } from './key-source.ts';
import { leavesOf } from './joins.ts';
import { isCut, outputOf, type Output } from './outputs.ts';
import { isOperator, type Site } from './sites.ts';
import { recursionOf } from './recursion.ts';
import type { Statement } from './statement.ts';
import { surroundingsOf } from './surroundings.ts';
import { sourcesWhen } from './truth.ts';

/** An equality that bounds a site: the queries whose (single) output columns together give every key that can matter. */
export interface Binding {
  readonly site: Site;
  readonly sources: readonly KeySource[];
  /** The conjunct that says so; undefined for USING and NATURAL. */
  readonly condition: Node | undefined;
  /** Where in the site's level the keys are computed. */
  readonly standpoint: Standpoint;
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
  const own = bindingsOf({ site, keyType, statement }).map((binding): Alternative => [binding]);
  const { level } = site.item;
  if (seen.includes(level)) return own;
  return [...own, ...throughLevel(site, keyType, statement, [...seen, level])];
}

function bindingsOf(sought: Sought): Binding[] {
  const { site, statement } = sought;
  const { level } = site.item;
  const { conditions, merged, optional } = surroundingsOf(site.item, statement);
  const standpoint: Standpoint = { kind: 'item', item: site.item };
  const besides = (sources: readonly KeySource[]): Standpoint => {
    const read = itemsOf(sources, statement);
    const named = [...optional.values()].filter((entry) => leavesOf(entry, level).some((leaf) => read.has(leaf)));
    return named.length === 0 ? standpoint : { ...standpoint, optional: new Set(named) };
  };
  const seen = conditions.filter((condition) => condition.seesItem).map(({ node }) => node);
  const found = seen.flatMap((node): Binding[] => {
    const sources = sourcesWhen(true, node, level, sought);
    return sources === undefined ? [] : [{ site, sources, condition: node, standpoint: besides(sources) }];
  });
  const interval = sourcesOfInterval(seen, level, sought);
  if (interval !== undefined)
    found.push({ site, sources: interval, condition: undefined, standpoint: besides(interval) });
  for (const { column, other } of merged) {
    if (column === site.column && statement.functions.ownEquality)
      found.push({ site, sources: [sourceOf(other, level)], condition: undefined, standpoint });
  }
  const ranks = new Map(found.map((binding) => [binding, rankOfBinding(binding, statement)]));
  return found.sort((one, two) => (ranks.get(one) ?? 0) - (ranks.get(two) ?? 0));
}

/** What an outer join may leave out is read whole: last. */
function rankOfBinding({ sources, standpoint }: Binding, statement: Statement): number {
  const isWhole = standpoint.kind === 'item' && standpoint.optional !== undefined;
  return rankOf(sources, statement) + (isWhole ? 0.5 : 0);
}

function itemsOf(sources: readonly KeySource[], statement: Statement): ReadonlySet<Item> {
  return new Set(
    sources.flatMap(({ query, level, when }) => [
      ...dependenciesOf([{ SelectStmt: query }, ...when], level, statement).items,
    ]),
  );
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
      if (parent === undefined || isCut(parent)) return [];
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
      if (recursionOf(place.cte) !== undefined) return [];
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
      const condition = any ? conjunctOf(node, clause, parent) : undefined;
      // Where only TRUE counts, "no row" and "no such row" are the same answer.
      const onlyTrue = isTrueOnlyBy(node, any, clause, parent);
      if (!onlyTrue && (output.nullable || row !== undefined)) return [];
      const padded = onlyTrue ? undefined : { sublink: node, test, keyType };
      const site = { item: outsideItem(parent), column: '' };
      const standpoint = inSublink(place, parent, statement);
      return [[{ site, sources: [sourceOf(test, parent)], condition, standpoint, padded }]];
    }
  }
}

function conjunctOf(sublink: SubLink, clause: Clause, { select }: Level): Node | undefined {
  const condition = clause.kind === 'where' ? select.whereClause : clause.kind === 'on' ? clause.join.quals : undefined;
  return conjunctsOf(condition).find((part) => bare(part, 'SubLink') === sublink);
}

/**
 * Whether a clause is no more true with NULL in the place of what IN (`any`) or `<> all` over no row is: nothing but AND,
 * OR and NOT stands around it, NOT as often as that takes.
 */
function isTrueOnlyBy(sublink: SubLink, any: boolean, clause: Clause, { select }: Level): boolean {
  const within = (node: Node | undefined, outcome: boolean): boolean => {
    const { boolop, args = [] } = bare(node, 'BoolExpr') ?? {};
    if (boolop === undefined) return bare(node, 'SubLink') === sublink && outcome === any;
    return args.some((each) => within(each, boolop === 'NOT_EXPR' ? !outcome : outcome));
  };
  switch (clause.kind) {
    case 'where':
      return within(select.whereClause, true);
    case 'on':
      return within(clause.join.quals, true);
    case 'from':
    case 'changed':
    case 'other':
      return false;
  }
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
