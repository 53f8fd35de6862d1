import { isKept, isLookup, itemsOf, prune, render, type Tree } from './joins.ts';
import type { Item, Keys, Piece } from './model.ts';

/** What keys can be read from on one level: its FROM and the conjuncts of its WHERE. */
export interface Surroundings {
  readonly from: readonly Tree[];
  readonly where: readonly Piece[];
}

/**
 * Keys as far as this level says something of them: `select distinct key` over the rest of it, with its local conjuncts.
 * What remains to be named stands on levels around it.
 */
export function settled(keys: Keys, { from, where }: Surroundings): Keys {
  const own = new Set(from.flatMap(itemsOf));
  const { table, query } = keys;
  if (query === undefined || ![...keys.uses].some((item) => own.has(item))) return { table, query, uses: keys.uses };
  if ([...keys.uses].some((item) => own.has(item) && isReadWider(item)))
    return { table, query: undefined, uses: keys.uses };
  const kept = new Set([...own].filter((item) => item.local && item.need === undefined));
  const add = (items: Iterable<Item>): void => {
    for (const item of items) {
      if (!own.has(item) || kept.has(item)) continue;
      kept.add(item);
      add(item.uses);
    }
  };
  add([...keys.uses]);
  // What a LATERAL item reads must be there, too.
  for (let before = -1; before !== kept.size;) {
    before = kept.size;
    for (const item of [...kept]) {
      if (![...item.uses].every((each) => (own.has(each) ? kept.has(each) : !isLookup(each)))) {
        if (keys.uses.has(item)) add(item.uses);
        else kept.delete(item);
      }
    }
  }
  const pruned = from.map((tree) => prune(tree, kept, own)).filter(({ any }) => any);
  if (!pruned.every(({ sound }) => sound)) return { table, query: undefined, uses: keys.uses };
  const hidden = new Set(keys.of === undefined ? [] : from.flatMap((tree) => hiddenWith(tree, keys.of)));
  const conditions = where.filter(
    (each) => isKept(each, kept, own) && ![...each.uses].some((item) => hidden.has(item)),
  );
  const entries = [...pruned.map(({ tree }) => render(tree)), `lateral (${query}) as _(k)`];
  const filter = conditions.length === 0 ? '' : ` where ${conditions.map(({ text }) => text).join(' and ')}`;
  const outer = [
    ...keys.uses,
    ...[...kept].flatMap((item) => [...item.uses]),
    ...conditions.flatMap((each) => [...each.uses]),
    ...pruned.flatMap(({ tree }) => usesIn(tree)),
  ].filter((item) => !own.has(item));
  return { table, query: `select distinct k from ${entries.join(', ')}${filter}`, uses: new Set(outer) };
}

/** What is chosen anew for each row around it, or by a definition, is read without the choice. */
function isReadWider({ once, uses, defined, local }: Item): boolean {
  return (once === true && uses.size > 0) || (defined === true && !local);
}

function usesIn(tree: Tree): Item[] {
  if (tree.kind === 'leaf') return [];
  return [...usesIn(tree.left), ...usesIn(tree.right), ...tree.on.flatMap((each) => [...each.uses])];
}

/**
 * What an outer join replaces by NULLs together with an item. A conjunct of WHERE on that is true of rows for which the
 * item was asked in vain: it says nothing about the keys.
 */
export function hiddenWith(tree: Tree, item: Item | undefined): readonly Item[] {
  if (tree.kind === 'leaf' || item === undefined) return [];
  const inLeft = itemsOf(tree.left).includes(item);
  if (!inLeft && !itemsOf(tree.right).includes(item)) return [];
  const side = inLeft ? tree.left : tree.right;
  const nullable = tree.type === 'full join' || tree.type === (inLeft ? 'right join' : 'left join');
  return nullable ? itemsOf(side) : hiddenWith(side, item);
}
