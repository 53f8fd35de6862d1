import { filter } from '../conditions.ts';
import { SCHEMA } from '../definitions.ts';
import type { Generated } from '../generated.ts';
import type { Item, Making } from '../model.ts';
import { nameIn, piece, shape } from '../model.ts';
import { wideCondition } from './conditions.ts';
import { wideQuery, type Wide } from './queries.ts';

/**
 * A query as tools wrap it, from a derived table, a CTE or a view: conditions, ORDER BY and LIMIT around it. Where LIMIT
 * alone is left, any of its rows will do.
 */
export function wrapped(making: Making): Pick<Generated, 'text' | 'ordered' | 'choice'> {
  const { tape } = making;
  const { from, before, item } = around(making, wideQuery(making, [], tape.pick([2, 1, 0, 3])));
  const scope = { items: [item], outer: [] };
  const conditions = Array.from({ length: tape.pick([1, 0, 2]) }, () =>
    tape.chance(2) ? wideCondition(making, scope, 2) : filter(making, scope).text,
  );
  const where = conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`;
  const text = `${before}select * from ${from}${where}`;
  const [count, offset] = [1 + tape.below(6), tape.pick([0, 0, 1, 2])];
  const cut = ` limit ${count}${offset === 0 ? '' : ` offset ${offset}`}`;
  if (tape.chance(5)) {
    shape(making, 'wide growth');
    return { text: `${text}${cut}`, ordered: false, choice: { text, count, offset } };
  }
  shape(making, 'wide wrapped');
  // Every column, so that ties are equal rows.
  const first = tape.below(item.columns.length);
  const order = [...item.columns.slice(first), ...item.columns.slice(0, first)].map(
    ({ name }) => `${tape.pick([name, `${item.alias}.${name}`])}${tape.pick(['', ' desc', ' nulls first'])}`,
  );
  return { text: `${text} order by ${order.join(', ')}${tape.chance(2) ? '' : cut}`, ordered: true };
}

function around(
  making: Making,
  { text, columns }: Wide,
): { readonly from: string; readonly before: string; readonly item: Item } {
  const { tape } = making;
  const alias = nameIn(making, 'q');
  const item: Item = { ...piece(''), alias, columns };
  // A definition names no parameter.
  switch (making.values.length > 0 ? 0 : tape.below(4)) {
    case 2:
      shape(making, 'wide view');
      making.before.push(`create view ${SCHEMA}.${alias} as ${text}`);
      making.afterwards.push(`drop view if exists ${SCHEMA}.${alias} cascade`);
      return { from: `${SCHEMA}.${alias} ${alias}`, before: '', item };
    case 3:
      return { from: alias, before: `with ${alias} as (${text}) `, item };
    default:
      return { from: `(${text}) ${alias}`, before: '', item };
  }
}
