import { filter } from '../conditions.ts';
import { keyLike } from '../expressions.ts';
import type { Item, Making, Scalar } from '../model.ts';
import { shape } from '../model.ts';
import { lookupItem } from '../tables.ts';
import { listOf, named, some, whereOf, wideQuery, type Wide } from './queries.ts';
import type { Rows } from './rows.ts';

/** GROUP BY in all its forms, aggregates with FILTER and ORDER BY, and look-ups of what was grouped. */
export function grouped(
  making: Making,
  rows: Rows,
  types: readonly Scalar[],
  depth: number,
  outer: readonly Item[],
): Wide {
  const { tape } = making;
  const where = whereOf(making, rows, outer, depth);
  const columns = named(making, types);
  const by: string[] = [];
  const outputs = types.map((type, index) => {
    const value = some(making, rows.items, type);
    if (/^[a-z]+\d+\.\w+$/.test(value) && tape.chance(index === 0 ? 7 : 3)) {
      by.push(value);
      return value;
    }
    if (type === 'text' && tape.chance(2)) return lookedUp(making, rows, by);
    return aggregate(making, rows, type, value);
  });
  const list = [...new Set(by)];
  const form = list.length === 0 ? 0 : tape.below(6);
  const clauses = [
    `group by ${list.join(', ')}`,
    `group by ${list.join(', ')}`,
    `group by rollup (${list.join(', ')})`,
    `group by cube (${list.join(', ')})`,
    `group by grouping sets ((${list.join(', ')}), (), (${list[0] ?? ''}))`,
    `group by grouping sets (${list.map((each) => `(${each})`).join(', ')})`,
  ];
  if (form > 1) shape(making, 'wide grouping sets');
  const clause = list.length === 0 ? '' : ` ${clauses[form] ?? ''}`;
  const having = tape.chance(4) ? ` having ${havingOf(making, rows, list, depth, outer)}` : '';
  return { text: `select ${listOf(outputs, columns)} from ${rows.text}${where}${clause}${having}`, columns };
}

function aggregate(making: Making, { items }: Rows, type: Scalar, value: string): string {
  const { tape } = making;
  const only = tape.chance(3) ? ` filter (where ${filter(making, { items, outer: [] }).text})` : '';
  switch (type) {
    case 'bool':
      return `${tape.pick(['bool_or', 'bool_and'])}(${value})${only}`;
    case 'int':
      return tape.pick([`count(*)${only}::int`, `sum(${value})${only}::int`, `count(distinct ${value})${only}::int`]);
    case 'text':
      return tape.pick([
        `max(${value})${only}`,
        `string_agg(${value}, ',' order by ${value})${only}`,
        `min(${value})${only}`,
      ]);
    case 'inet':
      return `${tape.pick(['max', 'min'])}(${value})${only}`;
  }
}

/** A look-up by an aggregate, or by what the groups have in common. */
function lookedUp(making: Making, { items }: Rows, by: readonly string[]): string {
  const { tape } = making;
  const { alias, text, need, columns } = lookupItem(making);
  const type = need?.type ?? 'inet';
  const value = keyLike(making, items, type);
  const typed = type === 'inet' && value.type !== 'inet' ? `try_inet(${value.text})` : value.text;
  const shown = columns.find((column) => column.type === 'text' && column.name !== need?.column)?.name ?? '';
  const key = `${alias}.${need?.column ?? ''}`;
  shape(making, 'wide look-up of a group');
  const own = by.find((each) => each.endsWith('ip') || each.endsWith('username'));
  const said = tape.pick([
    `= max(${typed})`,
    ...(own === undefined || type !== 'inet' ? [] : [`= ${own}`]),
    `= any (array_agg(${typed}))`,
    `in (min(${typed}), max(${typed}))`,
  ]);
  return `(select max(${alias}.${shown}) from ${text} where ${key} ${said})`;
}

function havingOf(making: Making, rows: Rows, by: readonly string[], depth: number, outer: readonly Item[]): string {
  const { tape } = making;
  const { items } = rows;
  const type = tape.pick(['inet', 'text'] as const);
  const value = some(making, items, type);
  switch (tape.below(6)) {
    case 2: {
      shape(making, 'wide having in');
      const query = wideQuery(making, outer, depth + 1, [type]);
      return `max(${value}) ${tape.pick(['in', 'not in'])} (${query.text})`;
    }
    case 3: {
      const { alias, text, need } = lookupItem(making);
      const own = keyLike(making, items, need?.type ?? 'inet');
      const typed = need?.type === 'inet' && own.type !== 'inet' ? `try_inet(${own.text})` : own.text;
      shape(making, 'wide having key in');
      return `max(${typed}) ${tape.pick(['in', 'not in', 'in'])} (select ${alias}.${need?.column ?? ''} from ${text})`;
    }
    case 4:
      return `${lookedUp(making, rows, by)} ${tape.pick(['is null', 'is not null', "= 'NL'"])}`;
    case 5:
      return by.length === 0 ? 'count(*) > 0' : `${tape.pick(by)} is not null`;
    default:
      return `count(*) > ${tape.below(2)}`;
  }
}
