import type { JoinExpr, Node, SelectStmt } from '@pgsql/types';
import { outward } from '../sql/names.ts';
import type { Clause, Item, Level } from '../sql/scope.ts';
import { bare } from '../sql/walk.ts';
import type { Binding } from './bindings.ts';
import { conjunctsOf, dependenciesOf } from './dependencies.ts';
import { leavesOf } from './joins.ts';
import { and, call, columnOf } from './nodes.ts';
import { isUsable, prune, stand, type Kept } from './pruning.ts';
import type { Reference, Statement } from './statement.ts';
import { surroundingsOf, type Condition } from './surroundings.ts';

/** How a value becomes a key of a type: `trailhound.key_inet()` gives NULL for what no row can equal. */
function asKey(value: Node, keyType: string): Node {
  if (keyType === 'inet') return call('key_inet', [value], 'trailhound');
  return {
    TypeCast: {
      arg: value,
      typeName: { names: [{ String: { sval: 'pg_catalog' } }, { String: { sval: keyType } }], typemod: -1 },
    },
  };
}

/** Plain DISTINCT is a list of one empty node in PostgreSQL's tree. */
const DISTINCT = [{} as Node];
const KEY = 'trailhound_key';
const VALUE = 'trailhound_value';

/**
 * The query that gives the keys of a binding: `select distinct key from <the rest of the level, with its filters>`.
 * It may be wider than the statement, never narrower.
 *
 * @param readable whether an item's rows can be read now (hydrated, evaluated, or ordinary)
 * @returns undefined where the binding needs something that cannot be read yet
 */
export function keyQuery(
  binding: Binding,
  keyType: string,
  statement: Statement,
  readable: (item: Item) => boolean,
): SelectStmt | undefined {
  const { site, sources, condition } = binding;
  const { level } = site.item;
  const inItem = level.items.includes(site.item);
  const rest = inItem ? surroundingsOf(site.item, statement) : surroundingsOfExpression(level, binding.clause);
  const alias = inItem ? { name: site.item.name ?? KEY, column: site.column } : { name: KEY, column: KEY };
  const kept = keep(rest.pieces, site.item, level, readable, statement);
  const withKey = { ...kept, items: new Set([...kept.items, site.item]) };
  // Conditions on the key alone hold for the keys as well: the key stands under the item's own name.
  const forKey = (entry: Condition): boolean => {
    const { columns } = dependenciesOf(entry.node, level, statement);
    const own = columns.get(site.item);
    return own === undefined || (entry.seesItem && [...own].every((name) => name === site.column));
  };
  const conditions = rest.conditions
    .filter(
      (entry) =>
        entry.node !== condition &&
        forKey(entry) &&
        isVisible(entry, level, statement) &&
        isUsable(entry.node, level, withKey, statement),
    )
    .map((entry) => entry.node);
  for (const source of sources) {
    // What stands for an expression is no level of its own: an aggregate in it would be one of another level.
    const value =
      source.fromClause === undefined && source.op === 'SETOP_NONE' ? source.targetList : { SelectStmt: source };
    if (!isUsable(value, level, kept, statement)) return undefined;
  }
  const inner: SelectStmt = {
    distinctClause: DISTINCT,
    targetList: [{ ResTarget: { name: KEY, val: columnOf(alias.name, alias.column) } }],
    fromClause: [...kept.nodes, keySource(sources, keyType, alias)],
    ...where(conditions),
    limitOption: 'LIMIT_OPTION_DEFAULT',
    op: 'SETOP_NONE',
  };
  const complete = withCtes(inner, statement, readable);
  return complete === undefined ? undefined : wrap(complete, level, statement, readable);
}

/** `lateral (select key_inet(v) from (<source>) …  union all …) as a(ip_address)` */
function keySource(sources: readonly SelectStmt[], keyType: string, alias: { name: string; column: string }): Node {
  const each = sources.map((source): SelectStmt => ({
    targetList: [{ ResTarget: { val: asKey(columnOf(VALUE, VALUE), keyType) } }],
    fromClause: [lateral(source, VALUE, VALUE)],
    limitOption: 'LIMIT_OPTION_DEFAULT',
    op: 'SETOP_NONE',
  }));
  const union = each.reduce<SelectStmt | undefined>(
    (larg, rarg) =>
      larg === undefined ? rarg : { op: 'SETOP_UNION', all: true, larg, rarg, limitOption: 'LIMIT_OPTION_DEFAULT' },
    undefined,
  );
  if (union === undefined) throw new Error('a binding without a source');
  return lateral(union, alias.name, alias.column);
}

function lateral(query: SelectStmt, name: string, column: string): Node {
  return {
    RangeSubselect: {
      lateral: true,
      subquery: { SelectStmt: query },
      alias: { aliasname: name, colnames: [{ String: { sval: column } }] },
    },
  };
}

/** Puts the levels around it that a key query names columns of: `select k from <outer pieces>, lateral (<inner>)`. */
function wrap(
  inner: SelectStmt,
  from: Level,
  statement: Statement,
  readable: (item: Item) => boolean,
): SelectStmt | undefined {
  let query = inner;
  for (let level: Level = from; ;) {
    if (![...dependenciesOf({ SelectStmt: query }, level, statement).items].some((item) => item.level !== level))
      return query;
    const next = outward(level);
    if (next === undefined) return undefined;
    const placed = placeIn(level, next);
    if (placed === undefined) return undefined;
    const rest =
      placed.kind === 'item' ? surroundingsOf(placed.item, statement) : surroundingsOfExpression(next, placed.clause);
    const own = placed.kind === 'item' ? placed.item : undefined;
    const kept = keep(rest.pieces, own, next, readable, statement);
    const needs = dependenciesOf({ SelectStmt: query }, next, statement);
    if (![...needs.items].every((item) => item.level !== next || kept.items.has(item))) return undefined;
    if (!stand(needs, next, kept.nodes)) return undefined;
    const conditions = rest.conditions
      .filter((entry) => isVisible(entry, next, statement) && isUsable(entry.node, next, kept, statement))
      .map((entry) => entry.node);
    const around: SelectStmt = {
      distinctClause: DISTINCT,
      targetList: [{ ResTarget: { name: KEY, val: columnOf(KEY, KEY) } }],
      fromClause: [...kept.nodes],
      ...where(conditions),
      limitOption: 'LIMIT_OPTION_DEFAULT',
      op: 'SETOP_NONE',
    };
    const complete = withCtes(around, statement, readable);
    if (complete === undefined) return undefined;
    query = { ...complete, fromClause: [...kept.nodes, lateral(query, KEY, KEY)] };
    level = next;
  }
}

/** How a level stands in the level whose columns it names: as a LATERAL item, or in an expression. */
function placeIn(
  level: Level,
  outer: Level,
): { kind: 'item'; item: Item } | { kind: 'expression'; clause: Clause | undefined } | undefined {
  for (let at: Level | undefined = level; at !== undefined; at = at.parent) {
    if (at.parent !== outer) continue;
    if (at.place.kind === 'from') return { kind: 'item', item: at.place.item };
    if (at.place.kind === 'sublink') return { kind: 'expression', clause: at.place.clause };
    return at.place.kind === 'branch' ? { kind: 'expression', clause: undefined } : undefined;
  }
  return undefined;
}

/** The rows for which an expression of a level is computed. */
function surroundingsOfExpression(
  level: Level,
  clause: Clause | undefined,
): { readonly pieces: readonly Node[]; readonly conditions: readonly Condition[] } {
  const { fromClause = [], whereClause } = level.select;
  if (clause?.kind === 'on' && !fromClause.some((node) => isInnerDownTo(clause.join, node))) {
    // WHERE says nothing of what ON asks under an outer join: its rows may be the ones that do not match.
    const { larg, rarg, quals } = clause.join;
    return { pieces: [larg, rarg].flatMap((side) => side ?? []), conditions: conditionsOf(quals) };
  }
  return { pieces: fromClause, conditions: conditionsOf(whereClause) };
}

function isInnerDownTo(wanted: JoinExpr, node: Node): boolean {
  const join = bare(node, 'JoinExpr');
  if (join?.jointype !== 'JOIN_INNER') return false;
  return join === wanted || [join.larg, join.rarg].some((side) => side !== undefined && isInnerDownTo(wanted, side));
}

function conditionsOf(condition: Node | undefined): Condition[] {
  const none = new Set<Item>();
  return conjunctsOf(condition).map((node) => ({ node, seesItem: true, hidden: none }));
}

function isVisible(entry: Condition, level: Level, statement: Statement): boolean {
  return [...dependenciesOf(entry.node, level, statement).items].every((item) => !entry.hidden.has(item));
}

/** The FROM entries, as far as they can be read without the item that the keys are for. */
function keep(
  pieces: readonly Node[],
  without: Item | undefined,
  level: Level,
  readable: (item: Item) => boolean,
  statement: Statement,
): Kept {
  const nodes: Node[] = [];
  const items = new Set<Item>();
  for (const piece of pieces) {
    const node = prune(piece, level, (item) => item !== without && readable(item), statement);
    if (node === undefined) continue;
    const leaves = leavesOf(node, level);
    const needs = dependenciesOf(node, level, statement);
    const known = new Set([...items, ...leaves]);
    // LATERAL over what is not there: without the entry there are only more rows.
    if (![...needs.items].every((item) => item.level !== level || known.has(item))) continue;
    if (!stand(needs, level, [...nodes, node])) continue;
    nodes.push(node);
    for (const leaf of leaves) items.add(leaf);
  }
  return { nodes, items, readable };
}

function where(nodes: readonly Node[]): { whereClause?: Node } {
  return nodes.length === 0 ? {} : { whereClause: and(nodes) };
}

/** The query with the CTEs that it names. Undefined where they cannot be read, or would take the place of a relation. */
export function withCtes(
  query: SelectStmt,
  statement: Statement,
  readable: (item: Item) => boolean,
): SelectStmt | undefined {
  const ctes = [...statement.ctesIn({ SelectStmt: query })];
  if (ctes.length === 0) return query;
  const own = (query.withClause?.ctes ?? []).map((node) => bare(node, 'CommonTableExpr')?.ctename ?? '');
  const names = new Set([...ctes.map((cte) => cte.name), ...own]);
  const recursive = query.withClause?.recursive === true || ctes.some((cte) => cte.recursive);
  if (names.size < ctes.length + own.length || ctes.some((cte) => cte.level === undefined)) return undefined;
  const references: Reference[] = ctes.flatMap((cte) => [...statement.referencesIn(cte.node)]);
  if (!references.every((reference) => readable(reference.item))) return undefined;
  const hides = (value: unknown, except?: string): boolean =>
    [...statement.relationNamesIn(value)].some((name) => names.has(name) && (recursive || name !== except));
  const outer = { ...query };
  delete outer.withClause;
  if (hides({ SelectStmt: outer }) || ctes.some((cte) => hides(cte.node.ctequery, cte.name))) return undefined;
  return {
    ...query,
    withClause: {
      ctes: [...ctes.map((cte) => ({ CommonTableExpr: cte.node })), ...(query.withClause?.ctes ?? [])],
      ...(recursive ? { recursive: true } : {}),
    },
  };
}
