import type { Item, Piece } from './model.ts';

export type JoinType = 'join' | 'left join' | 'right join' | 'full join' | 'cross join';

/** A FROM entry. */
export type Tree =
  | { readonly kind: 'leaf'; readonly item: Item }
  | {
      readonly kind: 'join';
      readonly type: JoinType;
      readonly left: Tree;
      readonly right: Tree;
      /** Conjuncts; undefined for NATURAL and USING. */
      readonly on: readonly Piece[];
      /** Names that USING merges; 'natural': whatever both have. */
      readonly merged: readonly string[] | 'natural' | undefined;
    };

export function itemsOf(tree: Tree): readonly Item[] {
  return tree.kind === 'leaf' ? [tree.item] : [...itemsOf(tree.left), ...itemsOf(tree.right)];
}

export function render(tree: Tree, nested = false): string {
  if (tree.kind === 'leaf') return tree.item.text;
  const { type, left, right, on, merged } = tree;
  const sides = [render(left), render(right, true)] as const;
  const text =
    merged === 'natural'
      ? `${sides[0]} natural ${type} ${sides[1]}`
      : merged !== undefined
        ? `${sides[0]} ${type} ${sides[1]} using (${merged.join(', ')})`
        : type === 'cross join'
          ? `${sides[0]} cross join ${sides[1]}`
          : `${sides[0]} ${type} ${sides[1]} on ${on.length === 0 ? 'true' : on.map(({ text: each }) => each).join(' and ')}`;
  return nested ? `(${text})` : text;
}

export interface Pruned {
  readonly tree: Tree;
  /** False: a condition of an outer join was left out whose other rows still count. */
  readonly sound: boolean;
  readonly any: boolean;
}

/**
 * Without the items that are not kept: each becomes one row of no columns, and conditions on it go. What an outer join
 * keeps of its rows is NULL on the other side, or is not: both.
 */
export function prune(tree: Tree, kept: ReadonlySet<Item>, own: ReadonlySet<Item>): Pruned {
  if (tree.kind === 'leaf') {
    if (kept.has(tree.item)) return { tree, sound: true, any: true };
    const item = { ...tree.item, text: `(select) as ${tree.item.alias}`, columns: [] };
    return { tree: { kind: 'leaf', item }, sound: true, any: false };
  }
  const [left, right] = [prune(tree.left, kept, own), prune(tree.right, kept, own)];
  const whole = itemsOf(tree).every((item) => kept.has(item));
  // What USING and NATURAL say has no text of its own.
  const on = tree.merged === undefined || whole ? tree.on.filter((each) => isKept(each, kept, own)) : [];
  const merged = whole ? tree.merged : undefined;
  const dropped = on.length < tree.on.length || (tree.merged !== undefined && !whole);
  const inner = tree.type === 'join' || tree.type === 'cross join';
  const sound = left.sound && right.sound && (inner || !dropped || !(left.any && right.any));
  const any = left.any || right.any;
  if (!inner && left.any !== right.any) {
    const nullable = left.any ? ['right join', 'full join'] : ['left join', 'full join'];
    const only = left.any ? left.tree : right.tree;
    if (!nullable.includes(tree.type)) return { tree: only, sound, any };
    return { tree: withRowOfNulls(only), sound, any };
  }
  // A side that is gone matches every row of the other.
  return { tree: { ...tree, left: left.tree, right: right.tree, on: any ? on : [], merged }, sound, any };
}

/** The rows of a tree and one of NULLs. */
function withRowOfNulls(tree: Tree): Tree {
  const [first] = itemsOf(tree);
  if (first === undefined) return tree;
  const alias = `with_${first.alias}`;
  const rows: Item = {
    ...first,
    text: `(values (true), (false)) as ${alias}(given)`,
    alias,
    columns: [],
    uses: new Set(),
  };
  const given = { text: `${alias}.given`, uses: new Set<Item>(), local: true, keys: [] };
  return {
    kind: 'join',
    type: 'left join',
    left: { kind: 'leaf', item: rows },
    right: tree,
    on: [given],
    merged: undefined,
  };
}

/** Whether a condition can be computed from what is kept of its level. */
export function isKept(condition: Piece, kept: ReadonlySet<Item>, own: ReadonlySet<Item>): boolean {
  return condition.local && [...condition.uses].every((item) => (own.has(item) ? kept.has(item) : !isLookup(item)));
}

/** Which of two look-ups on different levels comes first is the planner's to choose. */
export function isLookup(item: Item): boolean {
  return !item.local || item.need !== undefined;
}
