import type { Node, SelectStmt } from '@pgsql/types';
import type { Level } from '../sql/scope.ts';
import { bare } from '../sql/walk.ts';
import { dependenciesOf } from './dependencies.ts';
import { selectOf } from './nodes.ts';
import type { Site } from './sites.ts';
import type { Statement } from './statement.ts';

/** What keys are sought for. */
export interface Sought {
  readonly site: Site;
  readonly keyType: string;
  readonly statement: Statement;
}

/** A query whose single output column gives keys. */
export interface KeySource {
  readonly query: SelectStmt;
  /** Where it stands: the site's own level, or one below it whose rows make a condition of the site's level true. */
  readonly level: Level;
  /** Conditions of that level beyond its own: keys come from no row where one of them is not true. */
  readonly when: readonly Node[];
  /** CASE computes the keys only there: computing them elsewhere may raise an error. */
  readonly guarded: boolean;
}

export function sourceOf(value: Node, level: Level): KeySource {
  return { query: selectOf(value), level, when: [], guarded: false };
}

/** Whether a query is one expression of the level in which it stands. */
export function isExpressionOnly(query: SelectStmt): boolean {
  const { targetList, limitOption: _option, op, ...rest } = query;
  return op === 'SETOP_NONE' && targetList?.length === 1 && Object.keys(rest).length === 0;
}

/** The same sources where conditions of their level hold as well. */
export function onlyWhere(
  sources: readonly KeySource[],
  nodes: readonly Node[],
  level: Level,
  guarded = false,
): readonly KeySource[] {
  return sources.map((source) =>
    source.level === level && nodes.length > 0
      ? { ...source, when: [...source.when, ...nodes], guarded: guarded || source.guarded }
      : source,
  );
}

/** The sources that promise the fewest keys; undefined where there are none to choose from. */
export function fewest(
  candidates: readonly (readonly KeySource[] | undefined)[],
  statement: Statement,
): readonly KeySource[] | undefined {
  const found = candidates.filter((sources) => sources !== undefined);
  const ranks = new Map(found.map((sources) => [sources, rankOf(sources, statement)]));
  return found.sort((a, b) => (ranks.get(a) ?? 0) - (ranks.get(b) ?? 0))[0];
}

/** A list or a subquery written next to the key is as small as its author meant it to be; a join may be anything. */
export function rankOf(sources: readonly KeySource[], statement: Statement): number {
  return Math.max(0, ...sources.map((source) => rankOfOne(source, statement)));
}

function rankOfOne({ query, level }: KeySource, statement: Statement): number {
  if (!isExpressionOnly(query)) return 1;
  const value = bare(query.targetList?.[0], 'ResTarget')?.val;
  if (value !== undefined && 'SubLink' in value) return 1;
  const { items, aggregates } = dependenciesOf(query.targetList, level, statement);
  return items.size === 0 && aggregates.size === 0 ? 0 : 2;
}
