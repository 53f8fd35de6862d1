import { keyLike } from './expressions.ts';
import type { Level } from './levels.ts';
import type { Item, Making } from './model.ts';
import { columnOf, nameIn, piece, shape } from './model.ts';
import { lookupItem, sourceItem } from './tables.ts';

/** A level of which one look-up has no keys, whatever else stands in the statement. */
export function unboundedLevel(making: Making): Level {
  const { tape } = making;
  const item = lookupItem(making);
  const source = sourceItem(making, { items: [], outer: [] });
  const need = item.need;
  if (need === undefined) throw new Error('a look-up that needs nothing');
  const key = columnOf(item, { name: need.column, type: need.type });
  const value = keyLike(making, [source], need.type);
  const typed = need.type === 'inet' && value.type !== 'inet' ? { ...value, text: `try_inet(${value.text})` } : value;
  const equal = piece(`${key.text} = ${typed.text}`, [key, typed]);
  const leaf = (of: Item) => ({ kind: 'leaf', item: of }) as const;
  const join = (
    type: 'join' | 'left join' | 'right join' | 'full join' | 'cross join',
    left: Item,
    right: Item,
    ...on: (typeof equal)[]
  ): Level => ({
    from: [{ kind: 'join', type, left: leaf(left), right: leaf(right), on, merged: undefined }],
    where: [],
    outer: [],
    bounds: [],
  });
  const which = tape.below(12);
  shape(making, `unbounded ${which}`);
  switch (which) {
    case 0:
      return { from: [leaf(item)], where: [], outer: [], bounds: [] };
    case 1:
      return join('cross join', source, item);
    case 2:
      return join('left join', item, source, equal);
    case 3:
      return join('right join', source, item, equal);
    case 4: {
      const plain = columnOf(
        source,
        source.columns.find(({ type }) => type === need.type) ?? { name: '', type: 'bool' },
      );
      if (plain.type !== need.type) return join('cross join', item, source);
      return join('full join', item, source, piece(`${key.text} = ${plain.text}`, [key, plain]));
    }
    case 5:
      return join('join', source, item, piece(`${key.text} <> ${typed.text}`, [key, typed]));
    case 6:
      return join('join', source, item, piece(`not (${key.text} = ${typed.text})`, [key, typed]));
    case 7: {
      const other = columnOf(item, item.columns.find(({ type }) => type === 'int') ?? { name: '', type: 'int' });
      return join('join', source, item, piece(`(${key.text} = ${typed.text} or ${other.text} > 0)`, [key, typed]));
    }
    case 8:
      return join('join', source, item, piece(`${key.text} >= ${typed.text}`, [key, typed]));
    case 9:
      return join('join', source, item, piece(`${key.text} is distinct from ${typed.text}`, [key, typed]));
    case 10: {
      const alias = nameIn(making, 'd');
      const shown = tape.pick([', count(*) over () as n', ', rank() over (order by 1) as n', '']);
      const limit = shown === '' ? ' order by 1 limit 2' : '';
      const text = `(select ${need.column}${shown} from ${item.text}${limit}) ${alias}`;
      const once: Item = { ...piece(text), local: false, alias, columns: [{ name: need.column, type: need.type }] };
      return join('join', source, once, piece(`${alias}.${need.column} = ${typed.text}`, [typed]));
    }
    default: {
      const not = piece(`not exists (select from ${source.text} where ${equal.text})`, [key]);
      return { from: [leaf(item)], where: [not], outer: [], bounds: [] };
    }
  }
}
