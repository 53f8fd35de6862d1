import type { Node, SelectStmt } from '@pgsql/types';
import { deparse } from '../sql/deparse.ts';
import { fieldsOf, isWithin, type Cte, type Item, type Level, type Place } from '../sql/scope.ts';
import { bare, isInText } from '../sql/walk.ts';
import { dependenciesOf } from './dependencies.ts';
import { withCtes } from './key-query.ts';
import type { KeySource } from './key-source.ts';
import type { Planning } from './planning.ts';
import { recursionOf, selectAll, selectFrom, wholeOf } from './recursion.ts';
import { placeholder } from './statement.ts';
import { viewIn } from './text-mention.ts';

/** Evaluates once what keys could be read from: derived tables and CTEs around an item, on every level outwards. */
export function evaluateAround(item: Item, planning: Planning): void {
  for (let level: Level | undefined = item.level; level !== undefined; level = level.parent) {
    if (!planning.isHere(level)) return;
    evaluateScalars(level, planning);
    evaluateItems(level, item, planning);
  }
}

/** The derived tables and CTEs that a level reads, but for an item. */
function evaluateItems(level: Level, except: Item | undefined, planning: Planning): boolean {
  let evaluated = false;
  for (const item of level.items) {
    if (item === except || !planning.isOnce(item)) continue;
    if (evaluateCtes(item.node, planning)) evaluated = true;
    const subselect = bare(item.node, 'RangeSubselect');
    const query = bare(subselect?.subquery, 'SelectStmt');
    if (subselect === undefined || query === undefined || !isEvaluable(query, level, planning)) continue;
    const replaced = evaluate(query, subselect.subquery, planning);
    if (replaced === undefined) continue;
    subselect.subquery = replaced;
    evaluated = true;
  }
  return evaluated;
}

/**
 * Evaluates the views around an item once of which each reading may give other rows, however many they give: those that
 * read virtual tables stand in the tree as what they are made of.
 */
export function evaluateViewsAround(item: Item, planning: Planning): boolean {
  let evaluated = false;
  for (let level: Level | undefined = item.level; level !== undefined && planning.isHere(level); level = level.parent)
    if (evaluateViews(level, planning)) evaluated = true;
  return evaluated;
}

function evaluateViews({ items }: Level, planning: Planning): boolean {
  return items.filter((item) => planning.isOnce(item) && evaluateView(item, planning)).length > 0;
}

/** Its rows stand for it in the text, too. */
function evaluateView(item: Item, planning: Planning): boolean {
  const { statement } = planning;
  const { rangeVar, level, name } = item;
  const view = rangeVar ?? viewIn(item.node);
  if (view?.location === undefined || !planning.isHere(level)) return false;
  const isChanged = statement.scopes.targets.has(view) || (level.select.lockingClause ?? []).length > 0;
  // An alias has no schema by which columns could name it.
  const isQualified = [...statement.qualified.keys()].some((column) => fieldsOf(column)[0] === name);
  if (isChanged || isQualified) return false;
  const subselect = bare(item.node, 'RangeSubselect');
  const query = bare(subselect?.subquery, 'SelectStmt');
  if (subselect !== undefined && query !== undefined) {
    const rows = isEvaluable(query, level, planning) ? evaluate(query, { RangeVar: view }, planning) : undefined;
    if (rows !== undefined) subselect.subquery = rows;
    return rows !== undefined;
  }
  if (item.kind !== 'relation' || !statement.readsUnstable({ RangeVar: view })) return false;
  const { alias: _own, ...relation } = view;
  const id = planning.newLevel();
  const all = deparse({ SelectStmt: selectFrom({ RangeVar: relation }) });
  planning.steps.push({ kind: 'evaluate', id, query: all, node: { RangeVar: view } });
  statement.standIn(item, placeholder('level', id));
  return true;
}

/**
 * `x > (select … limit 1)` in a condition of a level, or below it: without it there would be more keys, and of an outer
 * join or of groups none.
 */
function evaluateScalars(level: Level, planning: Planning): void {
  for (const { place, parent, select } of planning.statement.scopes.levels) {
    if (parent === undefined || place.kind !== 'sublink' || place.node.subLinkType !== 'EXPR_SUBLINK') continue;
    const isCondition = place.clause.kind === 'where' || place.clause.kind === 'on';
    if (!isCondition || !isWithin(parent, level) || !isPartOf(parent, level)) continue;
    if (bare(place.node.subselect, 'SelectStmt') !== select || !isEvaluable(select, parent, planning)) continue;
    evaluateCtes({ SelectStmt: select }, planning);
    const replaced = evaluate(select, place.node.subselect, planning);
    if (replaced !== undefined) place.node.subselect = replaced;
  }
}

/** Whether nothing between a level and one around it has been replaced by its rows. */
function isPartOf(level: Level, outer: Level): boolean {
  for (let at = level; at !== outer && at.parent !== undefined; at = at.parent) {
    const { place, select } = at;
    if (bare(nodeAt(place) ?? { SelectStmt: select }, 'SelectStmt') !== select) return false;
  }
  return true;
}

/** What stands in the tree where a level stood. */
function nodeAt(place: Place): Node | undefined {
  switch (place.kind) {
    case 'sublink':
      return place.node.subselect;
    case 'from':
      return bare(place.item.node, 'RangeSubselect')?.subquery;
    case 'cte':
      return place.cte.node.ctequery;
    case 'branch':
    case 'statement':
      return undefined;
  }
}

/** A CTE may be named elsewhere too: it is evaluated itself, before anything that reads it. */
export function evaluateCtes(value: unknown, planning: Planning): boolean {
  let evaluated = false;
  for (const cte of planning.statement.ctesIn(value)) {
    const { node, level } = cte;
    const query = bare(node.ctequery, 'SelectStmt');
    if (level?.parent === undefined || query === undefined || !planning.isHere(level)) continue;
    // SEARCH and CYCLE would stand behind rows that they are no part of.
    if (node.search_clause !== undefined || node.cycle_clause !== undefined) continue;
    if (!isEvaluable(query, level.parent, planning)) continue;
    const replaced = evaluate(query, node.ctequery, planning, recursionOf(cte)?.cte);
    if (replaced === undefined) continue;
    node.ctequery = replaced;
    evaluated = true;
  }
  return evaluated;
}

/**
 * `in (select … limit 20)`, `= (select … limit 1)`: the subquery that gives the keys is evaluated once, and so is what the
 * subquery of an EXISTS reads.
 *
 * @param own the level of the site: what it reads has been evaluated
 */
export function evaluateSources(sources: readonly KeySource[], own: Level, planning: Planning): boolean {
  let evaluated = false;
  for (const { query, level } of sources) {
    if (level !== own && isWithin(level, own) && planning.isHere(level)) {
      if (evaluateItems(level, undefined, planning)) evaluated = true;
      if (evaluateViews(level, planning)) evaluated = true;
    }
    const inside = planning.statement.levelsIn({ SelectStmt: query });
    if (evaluateCtes({ SelectStmt: query }, planning)) evaluated = true;
    for (const { select, place, parent } of inside) {
      if (place.kind !== 'sublink' || parent !== level || !isEvaluable(select, level, planning)) continue;
      const replaced = evaluate(select, place.node.subselect, planning);
      if (replaced === undefined) continue;
      place.node.subselect = replaced;
      evaluated = true;
    }
  }
  return evaluated;
}

function isEvaluable(query: SelectStmt, level: Level, planning: Planning): boolean {
  return planning.isUnrepeatable({ SelectStmt: query }, level) && isAlone(query, level, planning);
}

/** Whether it can be computed now, without a row of the levels around it. */
export function isAlone(query: SelectStmt, level: Level, planning: Planning): boolean {
  const { items } = dependenciesOf({ SelectStmt: query }, level, planning.statement);
  return items.size === 0 && planning.isHydrated({ SelectStmt: query });
}

/**
 * Adds the step that computes a query once.
 *
 * @param whole the CTE whose query it is, where that names itself: a query of it alone would be one more level
 * @returns what reads its rows
 */
export function evaluate(query: SelectStmt, node: Node | undefined, planning: Planning, whole?: Cte): Node | undefined {
  // What a view is made of is not replaced in the statement, which would compute other rows than these.
  if (!isInText(node)) return undefined;
  const complete = withCtes(query, planning.statement, planning.isReadable);
  if (complete === undefined || node === undefined) return undefined;
  const id = planning.newLevel();
  const evaluated = whole === undefined ? complete : wholeOf(whole, complete);
  planning.steps.push({ kind: 'evaluate', id, query: deparse({ SelectStmt: evaluated }), node });
  return { SelectStmt: selectAll(id) };
}
