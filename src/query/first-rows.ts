import { quoteIdent } from '../sql/substitute.ts';
import type { KnownFirstRows } from './constants.ts';
import type { Guard } from './guard.ts';
import type { OwnQueries } from './own-queries.ts';

/**
 * What the last of the first rows has in the column they are ordered by, among the rows that have come: a number, or
 * milliseconds since the epoch. Undefined: they are fewer.
 */
export async function lastOf({ query, count }: KnownFirstRows, own: OwnQueries): Promise<string | null | undefined> {
  const { rows } = await own.run(`${query} offset ${String(count - 1)} limit 1`, 1);
  return rows[0] === undefined ? undefined : (rows[0][0] ?? null);
}

/** Whether rows that are still to come may be among the first ones. */
export function isBeyond(last: string | null, reached: number, { order }: KnownFirstRows): boolean {
  if (last === null) return order.nulls === 'first';
  return order.direction === 'desc' ? Number(last) > reached : Number(last) < reached;
}

/** Lets through the first rows and those that tie with the last of them. */
export function upTo(last: string | null, { order: { column, direction, nulls } }: KnownFirstRows): Guard {
  const name = `_.${quoteIdent(column.name)}`;
  const value =
    column.type === 'timestamp with time zone'
      ? `pg_catalog.extract('epoch', ${name}) operator(pg_catalog.*) 1000`
      : `${name}::pg_catalog.numeric`;
  const within = [
    ...(nulls === 'first' || last === null ? [`${name} is null`] : []),
    ...(last === null && nulls === 'last' ? [`${name} is not null`] : []),
    ...(last === null
      ? []
      : [`${value} operator(pg_catalog.${direction === 'desc' ? '>=' : '<='}) ${last}::pg_catalog.numeric`]),
  ];
  return { known: [], sql: () => `(${within.join(' or ')})` };
}
