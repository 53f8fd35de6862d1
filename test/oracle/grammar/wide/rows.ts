import { filter } from '../conditions.ts';
import { columnsOf, keyLike, valueOf } from '../expressions.ts';
import type { Item, Making, Scalar } from '../model.ts';
import { nameIn, piece, shape } from '../model.ts';
import { lookupItem, sourceItem } from '../tables.ts';
import { agedLookup } from './ages.ts';
import { wideQuery, type Wide } from './queries.ts';

/** What a FROM clause says, and the rows that it gives. */
export interface Rows {
  readonly text: string;
  readonly items: readonly Item[];
}

/** FROM of up to four entries; a look-up stands only where something before it, or a constant, says its key. */
export function wideRows(making: Making, outer: readonly Item[], depth: number): Rows {
  const { tape } = making;
  const first = firstEntry(making, outer, depth);
  let { text } = first;
  let items: readonly Item[] = [first];
  for (let left = tape.pick([1, 1, 0, 2, 1, 3]); left > 0; left -= 1) {
    const kind = tape.below(12);
    const joined =
      kind < 5
        ? withLookup(making, text, items, outer)
        : kind < 8
          ? withChosen(making, text, items, outer)
          : withSource(making, text, items, outer, depth);
    ({ text, items } = joined);
  }
  return { text, items };
}

function firstEntry(making: Making, outer: readonly Item[], depth: number): Item {
  const { tape, ctes } = making;
  const kind = tape.below(12);
  if (kind >= 10 && ctes.length > 0) return cteItem(making);
  if (kind >= 8 && depth < 3) return derived(making, wideQuery(making, outer, depth + 1));
  if (kind === 7) return constantLookup(making);
  return sourceItem(making, { items: [], outer });
}

export function derived(making: Making, { text, columns }: Wide, lateral = ''): Item {
  const alias = nameIn(making, 'd');
  return { ...piece(`${lateral}(${text}) ${alias}`), alias, columns };
}

function cteItem(making: Making): Item {
  const cte = making.tape.pick(making.ctes);
  const alias = nameIn(making, 'd');
  shape(making, 'wide cte');
  return { ...piece(`${cte.name} ${alias}`), alias, columns: cte.columns };
}

function constantLookup(making: Making): Item {
  const item = lookupItem(making);
  const list = item.need?.type === 'text' ? "'user1', 'NL', 'nobody'" : "'34.1.1.1', '34.1.1.9', '34.1.1.77'";
  const own = item.columns.map(({ name }) => `${item.alias}.${name}`).join(', ');
  const text = `select ${own} from ${item.text} where ${item.alias}.${item.need?.column ?? ''} in (${list})`;
  return derived(making, { text, columns: item.columns });
}

/** The condition that gives a look-up its keys. */
function keyCondition(making: Making, item: Item, items: readonly Item[]): string {
  const { tape } = making;
  const type = item.need?.type ?? 'inet';
  const key = `${item.alias}.${item.need?.column ?? ''}`;
  const value = keyLike(making, items, type);
  const typed = type === 'inet' && value.type !== 'inet' ? `try_inet(${value.text})` : value.text;
  switch (tape.below(9)) {
    case 4:
      return `${value.text} = ${key}`;
    case 5:
      return `${key} in (${value.text}, ${type === 'inet' ? "'34.1.1.200'" : "'user4'"})`;
    case 6:
      return `${key} = any (array[${typed}])`;
    case 7:
      return `(${key}, 1) in ((${typed}, 1))`;
    case 8:
      return `${key} in (select x from (values (${typed})) as _(x))`;
    default:
      return `${key} = ${value.text}`;
  }
}

function withLookup(making: Making, before: string, items: readonly Item[], outer: readonly Item[]): Rows {
  const { tape } = making;
  const item = tape.chance(2) ? agedLookup(making, items) : lookupItem(making);
  const from = outer.length > 0 && tape.chance(2) ? [...items, ...outer] : items;
  const conditions = [keyCondition(making, item, from)];
  if (tape.chance(3)) conditions.push(filter(making, { items: [...items, item], outer: [] }).text);
  const on = conditions.join(' and ');
  const all = [...items, item];
  switch (tape.below(6)) {
    case 3:
      shape(making, 'wide right join');
      return { text: `${item.text} right join (${joinable(before)}) on ${on}`, items: all };
    case 4:
      return { text: `${before} join ${item.text} on ${on}`, items: all };
    case 5: {
      // Nothing but the nested join's own sides stands in its ON.
      const beside = sourceItem(making, { items: [], outer: [] });
      const own = keyCondition(making, item, [beside]);
      const [one, two] = [
        valueOf(making, { items, outer: [] }, 'text'),
        valueOf(making, { items: [beside], outer: [] }, 'text'),
      ];
      return {
        text: `${before} left join (${beside.text} ${tape.pick(['join', 'left join'])} ${item.text} on ${own}) on ${one.text} = ${two.text}`,
        items: [...all, beside],
      };
    }
    default:
      return { text: `${before} left join ${item.text} on ${on}`, items: all };
  }
}

/** A single entry needs no join to stand in parentheses of one. */
function joinable(text: string): string {
  return `${text} cross join (values (1)) as one(one)`;
}

/** `lateral (select … where key = … order by … limit n)` */
function withChosen(making: Making, before: string, items: readonly Item[], outer: readonly Item[]): Rows {
  const { tape } = making;
  const item = tape.chance(2) ? agedLookup(making, items) : lookupItem(making);
  const condition = keyCondition(making, item, tape.chance(2) ? [...items, ...outer] : items);
  const more = tape.chance(3) ? ` and ${filter(making, { items: [item], outer: items }).text}` : '';
  const prefix = nameIn(making, 'l');
  const shown = item.columns.filter(({ type }) => type !== 'json').slice(0, 1 + tape.below(3));
  const columns = shown.map((column, index) => ({ name: `${prefix}_${index}`, type: column.type }));
  const list = shown.map(({ name }, index) => `${item.alias}.${name} as ${prefix}_${index}`).join(', ');
  const order = shown.map((_column, index) => `${index + 1}${tape.pick([' desc', '', ' desc nulls last'])}`).join(', ');
  const cut = tape.pick([
    ` order by ${order} limit 1`,
    ` order by ${order} limit 2 offset 1`,
    '',
    ` order by ${order} fetch first 1 rows with ties`,
  ]);
  shape(making, 'wide lateral');
  const chosen = derived(
    making,
    { text: `select ${list} from ${item.text} where ${condition}${more}${cut}`, columns },
    'lateral ',
  );
  const join = tape.pick(['left join', 'join', 'left join']);
  const on = tape.chance(2) ? filter(making, { items: [chosen], outer: [] }).text : 'true';
  return { text: `${before} ${join} ${chosen.text} on ${on}`, items: [...items, chosen] };
}

function withSource(
  making: Making,
  before: string,
  items: readonly Item[],
  outer: readonly Item[],
  depth: number,
): Rows {
  const { tape } = making;
  const isDerived = depth < 2 && tape.chance(5);
  const isLateral = isDerived && tape.chance(4);
  const inside = isLateral ? [...items, ...outer] : outer;
  const item = isDerived
    ? derived(making, wideQuery(making, inside, depth + 1), isLateral ? 'lateral ' : '')
    : firstEntry(making, [], 3);
  const all = [...items, item];
  const type: Scalar = tape.pick(['inet', 'text', 'inet', 'int'] as const);
  const [ours, theirs] = [columnsOf(items, type), columnsOf([item], type)];
  if (ours.length === 0 || theirs.length === 0) return { text: `${before} cross join ${item.text}`, items: all };
  const equal = `${tape.pick(ours).text} = ${tape.pick(theirs).text}`;
  const join = tape.pick(['join', 'left join', 'full join', 'right join', 'join'] as const);
  if (isLateral && (join === 'full join' || join === 'right join'))
    return { text: `${before} left join ${item.text} on ${equal}`, items: all };
  const more = join !== 'full join' && tape.chance(3) ? ` and ${filter(making, { items: all, outer: [] }).text}` : '';
  return { text: `${before} ${join} ${item.text} on ${equal}${more}`, items: all };
}
