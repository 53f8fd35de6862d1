import { boundByConstants, boundBySubquery, boundByValue, type Bound } from './bindings.ts';
import { condition, equality, filter } from './conditions.ts';
import { derivedItem, exportingItem } from './derived.ts';
import { lookupFunction } from './definitions.ts';
import { columnsOf, keyLike } from './expressions.ts';
import { itemsOf, type JoinType, type Tree } from './joins.ts';
import { settled, type Surroundings } from './keys.ts';
import type { Item, Keys, Making, Need, Piece, Scope } from './model.ts';
import { NOTHING, piece, shape } from './model.ts';
import { lookupItem, sourceItem } from './tables.ts';

/** One SELECT's FROM and WHERE in the making. */
export interface Level extends Surroundings {
  readonly from: Tree[];
  readonly where: Piece[];
  readonly outer: readonly Item[];
  /** What bounds its look-ups. */
  readonly bounds: Keys[];
}

/** What a level needs of those around it, together with what else stands in it: target lists, HAVING. */
export function finished(level: Level, others: readonly Piece[]): Omit<Piece, 'text'> {
  const own = new Set(level.from.flatMap(itemsOf));
  const conditions = level.from.flatMap(conditionsIn);
  const parts = [...own, ...conditions.map(({ on }) => on), ...level.where, ...others];
  const keys: Keys[] = [
    ...level.bounds.map((each) => (isTwiceBounded(level, each) ? { ...each, query: undefined } : each)),
    ...[...own].flatMap((item) => item.keys.map((each) => ({ ...each, of: item }))),
    // Rows that ON under an outer join is asked for are not those that WHERE speaks of.
    ...conditions.flatMap(({ on, inner }) => on.keys.map((each) => (inner ? each : { ...each, query: undefined }))),
    ...[...level.where, ...others].flatMap((each) => each.keys),
  ];
  return {
    uses: new Set(parts.flatMap((part) => [...part.uses]).filter((item) => !own.has(item))),
    local: parts.every((part) => part.local),
    keys: keys.map((each) => settled(each, level)),
  };
}

export function whereClause(level: Level): string {
  return level.where.length === 0 ? '' : ` where ${level.where.map(({ text }) => text).join(' and ')}`;
}

/** A level of rows that need no key, or whose keys are bounded inside. */
export function sourceLevel(making: Making, outer: readonly Item[], depth: number): Level {
  return levelOf(making, outer, depth, making.tape.pick([0, 0, 0, 0, 1]));
}

/**
 * A level with so many look-ups, each bounded: by what stands before it, by constants, by a subquery, by a row of a level
 * around it.
 */
export function levelOf(
  making: Making,
  outer: readonly Item[],
  depth: number,
  lookups: number,
  exported?: Item,
): Level {
  const { tape } = making;
  const level: Level = { from: [], where: [], outer, bounds: [] };
  const sources = tape.pick(lookups > 0 || exported !== undefined ? [1, 1, 1, 0, 2] : [1, 1, 1, 2]);
  const order = Array.from({ length: sources + lookups }, (_each, index) => (index < sources ? 'source' : 'look-up'));
  if (exported !== undefined) level.from.push({ kind: 'leaf', item: exported });
  while (order.length > 0) {
    // Mostly the sources first.
    const [next] = order.splice(tape.chance(7) ? 0 : tape.below(order.length), 1);
    if (next === 'source') addSource(making, level, depth);
    else addLookup(making, level, depth, exported);
  }
  const scope = { items: level.from.flatMap(itemsOf), outer };
  for (let left = tape.pick([0, 1, 0, 0, 1, 0, 2]); left > 0; left -= 1) {
    level.where.push(tape.chance(5) ? filter(making, scope) : condition(making, scope, depth, true));
  }
  return level;
}

function addSource(making: Making, level: Level, depth: number): void {
  const { tape } = making;
  const lateral: Scope = { items: level.from.flatMap(itemsOf), outer: level.outer };
  const item =
    depth < 2 && tape.chance(depth === 0 ? 3 : 1) ? derivedItem(making, lateral, depth) : sourceItem(making, lateral);
  const reads = [...item.uses].some((each) => lateral.items.includes(each));
  attach(making, level, { kind: 'leaf', item }, undefined, reads, depth);
}

function addLookup(making: Making, level: Level, depth: number, exported: Item | undefined): void {
  const { tape } = making;
  if (tape.below(30) === 29) {
    addLookupFunction(making, level, depth, exported);
    return;
  }
  const item = depth < 2 && tape.chance(2) ? exportingItem(making, level.outer, depth) : lookupItem(making);
  const need = item.need;
  if (need === undefined) throw new Error('a look-up that needs nothing');
  // What the level hands out unbounded cannot give keys to others.
  const before = level.from.flatMap(itemsOf).filter((each) => each !== exported && !dependsOn(each, exported));
  const how = tape.below(10);
  if (how >= 9 || (before.length === 0 && (level.outer.length === 0 || how >= 5))) {
    const bound = tape.chance(4)
      ? boundBySubquery(making, item, need, [...before, ...level.outer], depth)
      : boundByConstants(making, item, need);
    placeFree(making, level, item, bound, depth);
    return;
  }
  if (how === 8 && depth < 2) {
    placeFree(making, level, item, boundBySubquery(making, item, need, [...before, ...level.outer], depth), depth);
    return;
  }
  const current = level.from.at(-1);
  const visible = current === undefined ? [] : itemsOf(current).filter((each) => before.includes(each));
  if (how >= 6 || visible.length === 0) {
    const others = tape.chance(2) || before.length === 0 ? [...before, ...level.outer] : before;
    placeFree(making, level, item, boundByValue(making, item, need, others, false), depth);
    return;
  }
  if (how === 5 && using(making, level, item, need)) return;
  if (how === 4) {
    placeNested(making, level, item, need, depth);
    return;
  }
  const others = level.outer.length > 0 && tape.chance(2) ? [...visible, ...level.outer] : visible;
  const bound = boundByValue(making, item, need, others, true);
  level.bounds.push(...bound.keys);
  attach(making, level, { kind: 'leaf', item }, bound.condition, false, depth);
}

/** A call that looks up what stands to its left. */
function addLookupFunction(making: Making, level: Level, depth: number, exported: Item | undefined): void {
  const before = level.from.flatMap(itemsOf).filter((each) => each !== exported && !dependsOn(each, exported));
  const item = lookupFunction(making, (type) => keyLike(making, [...before, ...level.outer], type));
  // Which keys its arguments are is for the planner to find.
  const tables = ['abuseipdb_check_ip', 'user_directory'];
  level.bounds.push(...tables.map((table) => ({ table, query: undefined, uses: NOTHING })));
  attach(making, level, { kind: 'leaf', item }, undefined, true, depth);
}

/** Any join at all, the key bounded in WHERE: which makes an outer join an inner one where it has to. */
function placeFree(making: Making, level: Level, item: Item, bound: Bound, depth: number): void {
  attach(making, level, { kind: 'leaf', item }, undefined, false, depth);
  level.where.push(bound.condition);
  level.bounds.push(...bound.keys);
}

/** `left join (x join look-up on …) on …` */
function placeNested(making: Making, level: Level, item: Item, need: Need, depth: number): void {
  const { tape } = making;
  const beside = sourceItem(making, { items: [], outer: level.outer });
  const bound = boundByValue(making, item, need, [beside], true);
  level.bounds.push(...bound.keys);
  const swapped = tape.chance(3);
  const [left, right] = swapped ? [item, beside] : [beside, item];
  const scope = { items: [beside, item], outer: [] };
  const noise = tape.chance(3) ? [filter(making, scope)] : [];
  const type = tape.pick<JoinType>(swapped ? ['join', 'right join'] : ['join', 'left join']);
  shape(making, 'nested join');
  const nested: Tree = {
    kind: 'join',
    type,
    left: { kind: 'leaf', item: left },
    right: { kind: 'leaf', item: right },
    on: [bound.condition, ...noise],
    merged: undefined,
  };
  attach(making, level, nested, undefined, false, depth);
}

/** USING or NATURAL over a column of the key's own name and type that the other side has once. */
function using(making: Making, level: Level, item: Item, need: Need): boolean {
  const current = level.from.at(-1);
  if (current === undefined) return false;
  const found = columnsOf(itemsOf(current), need.type).filter(({ text }) => text.endsWith(`.${need.column}`));
  const named = itemsOf(current)
    .flatMap(({ columns }) => columns)
    .filter(({ name }) => name === need.column);
  const [other] = found;
  if (other === undefined || named.length > 1 || hasUsing(current)) return false;
  const names = itemsOf(current).flatMap(({ columns }) => columns.map(({ name }) => name));
  const isNatural =
    making.tape.chance(3) && item.columns.every(({ name }) => name === need.column || !names.includes(name));
  shape(making, isNatural ? 'natural' : 'using');
  const type = making.tape.pick<JoinType>(['join', 'left join']);
  const on = piece('', [{ text: '', uses: new Set([item, ...other.uses]), local: true, keys: [] }]);
  level.from[level.from.length - 1] = {
    kind: 'join',
    type,
    left: current,
    right: { kind: 'leaf', item },
    on: [on],
    merged: isNatural ? 'natural' : [need.column],
  };
  level.bounds.push(
    ...need.tables.map((table) => ({
      table,
      query: `select ${need.type === 'inet' ? `host(trailhound.key_inet(${other.text}))` : other.text} as k`,
      uses: other.uses,
      of: item,
    })),
  );
  return true;
}

function hasUsing(tree: Tree): boolean {
  return tree.kind === 'join' && (tree.merged !== undefined || hasUsing(tree.left) || hasUsing(tree.right));
}

/**
 * Joins a tree to the level. With a condition that bounds what is attached, only by joins in which it does; without one,
 * by any.
 */
function attach(
  making: Making,
  level: Level,
  added: Tree,
  binding: Piece | undefined,
  lateral: boolean,
  depth: number,
): void {
  const { tape } = making;
  const current = level.from.pop();
  if (current === undefined) {
    level.from.push(added);
    if (binding !== undefined) level.where.push(binding);
    return;
  }
  const how = tape.below(8);
  if (binding === undefined && how >= 6) {
    shape(making, how === 6 ? 'comma' : 'cross join');
    if (how === 6) level.from.push(current, added);
    else level.from.push({ kind: 'join', type: 'cross join', left: current, right: added, on: [], merged: undefined });
    return;
  }
  const scope = { items: [...itemsOf(current), ...itemsOf(added)], outer: level.outer };
  if (binding === undefined && !lateral && how === 5) {
    const full = hashable(making, itemsOf(current), itemsOf(added));
    if (full !== undefined) {
      shape(making, 'full join');
      level.from.push({ kind: 'join', type: 'full join', left: current, right: added, on: [full], merged: undefined });
      return;
    }
  }
  const noise = Array.from({ length: tape.pick([0, 0, 0, 1, 0, 2]) }, () =>
    tape.chance(7) ? filter(making, scope) : condition(making, scope, depth + 1, true),
  );
  const joined = binding ?? (tape.chance(8) ? equality(making, scope) : undefined);
  const all = joined === undefined ? noise : tape.chance(3) ? [...noise, joined] : [joined, ...noise];
  const free: readonly JoinType[] = ['join', 'left join', 'join', 'right join'];
  const mirrored = !lateral && tape.chance(3);
  const types: readonly JoinType[] =
    binding !== undefined
      ? mirrored
        ? ['join', 'right join']
        : ['join', 'left join']
      : lateral
        ? ['join', 'left join']
        : free;
  const type = tape.pick(types);
  if (type !== 'join') shape(making, type);
  const [left, right] = mirrored ? [added, current] : [current, added];
  level.from.push({ kind: 'join', type, left, right, on: all, merged: undefined });
}

/** FULL JOIN takes nothing but an equality of one type. */
function hashable(making: Making, left: readonly Item[], right: readonly Item[]): Piece | undefined {
  for (const type of ['inet', 'text'] as const) {
    const [one, two] = [columnsOf(left, type), columnsOf(right, type)];
    if (one.length === 0 || two.length === 0) continue;
    const pair = [making.tape.pick(one), making.tape.pick(two)];
    return piece(pair.map(({ text }) => text).join(' = '), pair);
  }
  return undefined;
}

/** Conjuncts beside the one that bounds a key may bound it as well: either gives the keys. */
function isTwiceBounded(level: Level, { of }: Keys): boolean {
  const need = of?.need;
  return need !== undefined && (need.twice === true || mentionsOf(level, of, need.column) > 1);
}

/** How many conjuncts name a column. */
export function mentionsOf({ from, where }: Level, item: Item | undefined, column: string): number {
  const name = new RegExp(`\\b${item?.alias ?? ''}\\.${column}\\b`);
  return [...from.flatMap(conditionsIn).map(({ on }) => on), ...where].filter(({ text }) => name.test(text)).length;
}

function dependsOn(item: Item, other: Item | undefined): boolean {
  return other !== undefined && (item.uses.has(other) || [...item.uses].some((each) => dependsOn(each, other)));
}

function conditionsIn(tree: Tree): { readonly on: Piece; readonly inner: boolean }[] {
  if (tree.kind === 'leaf') return [];
  const inner = tree.type === 'join';
  return [...conditionsIn(tree.left), ...conditionsIn(tree.right), ...tree.on.map((on) => ({ on, inner }))];
}
