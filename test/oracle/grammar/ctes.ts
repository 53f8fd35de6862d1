import type { Making, Piece } from './model.ts';
import { nameIn, piece, shape } from './model.ts';
import { queryOf } from './queries.ts';

/** A CTE of the statement, which later ones and the statement itself may name. */
export function cteOf(making: Making): Piece {
  const { tape } = making;
  const name = nameIn(making, 'k');
  const query = queryOf(making, [], 1, { exporting: tape.chance(3) ? 'any' : undefined });
  const how = tape.pick(['', '', 'materialized ', 'not materialized ']);
  if (how === 'materialized ') shape(making, 'materialized');
  const columns = query.columns.map(({ type }, index) => ({
    name: index === 0 && type === 'inet' ? 'ip_address' : `${name}_${index}`,
    type,
  }));
  const need = query.need === undefined ? undefined : { ...query.need, column: columns[0]?.name ?? '' };
  making.ctes.push({ name, columns, need, local: query.local && need === undefined, mentions: 0 });
  return piece(`${name}(${columns.map((column) => column.name).join(', ')}) as ${how}(${query.text})`, [query]);
}
