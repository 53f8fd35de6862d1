import { boundByValue } from './bindings.ts';
import { filter } from './conditions.ts';
import { columnsOf, keyLike } from './expressions.ts';
import { itemsOf, render, type Tree } from './joins.ts';
import { finished, sourceLevel, whereClause, type Level } from './levels.ts';
import type { Column, Item, Making, Piece } from './model.ts';
import { nameIn, piece, shape } from './model.ts';
import { lookupItem, sourceItem } from './tables.ts';

/**
 * A recursive CTE whose steps look up what the step before has found: from one person to the manager, to the address,
 * and so on. With UNION it ends by itself, since look-ups hold finitely many values; with UNION ALL by a count of levels.
 */
export function recursiveCteOf(making: Making): Piece {
  const { tape } = making;
  const name = nameIn(making, 'k');
  const type = tape.pick(['text', 'inet'] as const);
  const counted = tape.chance(5);
  const start = sourceLevel(making, [], 1);
  const seed = keyLike(making, start.from.flatMap(itemsOf), type);
  const first = {
    ...seed,
    text: type === 'text' ? `(${seed.text})::text` : seed.type === 'inet' ? seed.text : `try_inet(${seed.text})`,
  };
  const node: Column = { name: type === 'inet' ? 'ip_address' : 'user_name', type };
  const columns: readonly Column[] = counted ? [node, { name: 'n', type: 'int' }] : [node];
  const { level, self } = step(making, name, columns);
  const items = level.from.flatMap(itemsOf);
  const nexts = columnsOf(items, type).filter(({ text }) =>
    /\.(user_name|manager|home|ip_address|r0|r1|remote_ip|source_ip|address|note)$/.test(text),
  );
  const next = tape.pick(nexts);
  if (counted) level.where.push(piece(`${self.alias}.n < ${1 + tape.below(3)}`));
  const seeds = `select ${first.text}${counted ? ', 0' : ''} from ${start.from.map((tree) => render(tree)).join(', ')}${whereClause(start)}`;
  const from = level.from.map((tree) => render(tree)).join(', ');
  const steps = `select ${next.text}${counted ? `, ${self.alias}.n + 1` : ''} from ${from}${whereClause(level)}`;
  const union = counted && tape.chance(5) ? 'union all' : 'union';
  shape(making, `recursive ${union}`);
  const inside = [finished(start, [first]), finished(level, [next])];
  making.ctes.push({ name, columns, need: undefined, local: false, mentions: 0 });
  return {
    text: `${name}(${columns.map((column) => column.name).join(', ')}) as (${seeds} ${union} ${steps})`,
    uses: new Set(),
    local: false,
    // Which keys its levels need is for the levels to say.
    keys: inside.flatMap(({ keys }) => keys).map((each) => ({ ...each, query: undefined })),
  };
}

/** `from <itself> join look-up on …`, and perhaps something beside it. */
function step(
  making: Making,
  name: string,
  columns: readonly Column[],
): { readonly level: Level; readonly self: Item } {
  const { tape } = making;
  const self: Item = { ...piece(`${name} ${nameIn(making, 'r')}`), local: false, alias: '', columns };
  const alias = self.text.slice(name.length + 1);
  const own: Item = { ...self, alias };
  const beside = tape.chance(3) ? [sourceItem(making, { items: [], outer: [] })] : [];
  const item = lookupItem(making);
  const need = item.need;
  if (need === undefined) throw new Error('a look-up that needs nothing');
  const bound = boundByValue(making, item, need, tape.chance(8) ? [own] : [own, ...beside], true);
  const leaf = (of: Item): Tree => ({ kind: 'leaf', item: of });
  const before = beside.reduce<Tree>(
    (left, each) => ({ kind: 'join', type: 'cross join', left, right: leaf(each), on: [], merged: undefined }),
    leaf(own),
  );
  const joined: Tree = {
    kind: 'join',
    type: tape.pick(['join', 'join', 'left join'] as const),
    left: before,
    right: leaf(item),
    on: [bound.condition],
    merged: undefined,
  };
  const noise = tape.chance(3) ? [filter(making, { items: [own, item, ...beside], outer: [] })] : [];
  return { level: { from: [joined], where: [...noise], outer: [], bounds: [...bound.keys] }, self: own };
}
