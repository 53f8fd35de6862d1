import { filter } from '../conditions.ts';
import { keyLike } from '../expressions.ts';
import type { Column, Item, Making, Scalar } from '../model.ts';
import { nameIn, piece, shape } from '../model.ts';
import { whereOf, wideQuery, type Wide } from './queries.ts';
import { wideRows } from './rows.ts';

/** A recursion over people, whose levels look the next ones up, with SEARCH and CYCLE, and a query that reads it. */
export function recursion(making: Making, types: readonly Scalar[], depth: number): Wide {
  const { tape } = making;
  const name = nameIn(making, 'k');
  const node: Column = { name: 'user_name', type: 'text' };
  const columns: readonly Column[] = [node, { name: 'n', type: 'int' }];
  const start = wideRows(making, [], 2);
  const seed = keyLike(making, start.items, 'text');
  const base = `select (${seed.text})::text, 0 from ${start.text}${whereOf(making, start, [], 3)}`;
  const self = nameIn(making, 'r');
  const [person, other] = [nameIn(making, 'a'), nameIn(making, 'a')];
  const itself: Item = { ...piece(self), alias: self, columns };
  const found: Item = {
    ...piece(person),
    alias: person,
    columns: [
      { name: 'manager', type: 'text' },
      { name: 'department', type: 'text' },
      { name: 'home', type: 'inet' },
    ],
  };
  const beside = tape.pick([
    '',
    ` left join abuseipdb_check_ip ${other} on ${other}.ip_address = ${person}.home`,
    ` left join user_directory ${other} on ${other}.user_name = ${person}.manager`,
  ]);
  const next = tape.pick([
    `${person}.manager`,
    `coalesce(${person}.manager, ${person}.department)`,
    `nullif(${person}.manager, 'user1')`,
  ]);
  const noise = tape.chance(4) ? ` and ${filter(making, { items: [itself, found], outer: [] }).text}` : '';
  const kept = tape.chance(3)
    ? ` and ${person}.home ${tape.pick(['in', 'not in'])} (select ip_address from abuseipdb_check_ip where not is_tor)`
    : '';
  const order = tape.below(4);
  const limit = 1 + tape.below(3);
  const counted = order === 0 || tape.chance(5);
  const step = `select ${next}, ${self}.n + 1 from ${name} ${self} ${tape.pick(['join', 'left join', 'join'])} user_directory ${person} on ${person}.user_name = ${self}.user_name${beside} where ${counted ? `${self}.n < ${limit}` : `${next} is not null`}${noise}${kept}`;
  const union = tape.pick(['union all', 'union']);
  const clauses = [
    '',
    ` cycle user_name set seen_twice using way`,
    ` search ${tape.pick(['depth', 'breadth'])} first by user_name set place${counted ? '' : ' cycle user_name set seen_twice using way'}`,
    ` cycle user_name, n set seen_twice to 'y' default 'n' using way`,
  ];
  const clause = order === 3 && !counted ? clauses[1] : clauses[order];
  shape(making, `wide recursion ${order}`);
  const { ctes } = making;
  const before = ctes.length;
  const marks: readonly Column[] =
    clause?.includes("to 'y'") === true
      ? [{ name: 'seen_twice', type: 'text' }]
      : clause?.includes('seen_twice') === true
        ? [{ name: 'seen_twice', type: 'bool' }]
        : [];
  ctes.push({ name, columns: [...columns, ...marks], need: undefined, local: false, mentions: 0 });
  const query = wideQuery(making, [], depth + 1, types);
  ctes.length = before;
  const own = /\bk\d+\b/.test(query.text) && query.text.includes(name);
  const text = own
    ? query.text
    : `select ${query.columns.map(({ name: each }) => `q.${each}`).join(', ')} from (${query.text}) q where 0 < (select count(*) from ${name})`;
  return {
    ...query,
    text: `with recursive ${name}(user_name, n) as (${base} ${union} ${step})${clause ?? ''} ${text}`,
  };
}
