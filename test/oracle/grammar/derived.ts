import { defined, mentionsIn } from './definitions.ts';
import type { Column, Item, Keys, Making, Query, Scope } from './model.ts';
import { nameIn, piece, shape } from './model.ts';
import { queryOf } from './queries.ts';

/** A subquery in FROM, LATERAL or not, or a CTE by its name. */
export function derivedItem(making: Making, lateral: Scope, depth: number): Item {
  const { tape } = making;
  const cte = tape.chance(4) ? making.ctes.filter(({ need }) => need === undefined) : [];
  const known = cte.length === 0 ? undefined : tape.pick(cte);
  const alias = nameIn(making, 'd');
  if (known !== undefined) {
    known.mentions += 1;
    shape(making, 'cte');
    return { ...piece(`${known.name} ${alias}`), local: known.local, alias, columns: known.columns };
  }
  const isLateral = lateral.items.length > 0 && tape.chance(3);
  if (isLateral) shape(making, 'lateral');
  const before = mentionsIn(making);
  const query = queryOf(making, isLateral ? [...lateral.items, ...lateral.outer] : lateral.outer, depth + 1);
  return { ...asItem(making, query, alias, isLateral, before), need: undefined };
}

/** A subquery or a CTE that hands out the key of a look-up unbounded. */
export function exportingItem(making: Making, outer: readonly Item[], depth: number): Item {
  const { tape } = making;
  const ctes = tape.chance(5) ? making.ctes.filter(({ need }) => need !== undefined) : [];
  const alias = nameIn(making, 'd');
  const known = ctes.length === 0 ? undefined : tape.pick(ctes);
  if (known?.need !== undefined) {
    known.mentions += 1;
    shape(making, 'cte bounded by its readers');
    return { ...piece(`${known.name} ${alias}`), local: false, alias, columns: known.columns, need: known.need };
  }
  shape(making, 'derived look-up');
  const before = mentionsIn(making);
  const query = queryOf(making, outer, depth + 1, { exporting: 'any' });
  return asItem(making, query, alias, false, before);
}

function asItem(making: Making, query: Query, alias: string, lateral: boolean, mentionsBefore: number): Item {
  const { tape } = making;
  const renamed = tape.chance(4);
  const columns = query.columns.map((column, index): Column =>
    renamed ? { ...column, name: renamedTo(query, column, index) } : column,
  );
  const names = renamed ? `(${columns.map(({ name }) => name).join(', ')})` : '';
  const need = query.need === undefined ? undefined : { ...query.need, column: columns[0]?.name ?? '' };
  const own = defined(making, query, mentionsBefore);
  return {
    text:
      own === undefined ? `${lateral ? 'lateral ' : ''}(${query.text}) ${alias}${names}` : `${own} ${alias}${names}`,
    uses: query.uses,
    local: query.local && need === undefined,
    keys: own !== undefined && CHOOSES.test(query.text) ? query.keys.map(unknown) : query.keys,
    alias,
    columns,
    need,
    once: query.once,
    defined: own !== undefined,
  };
}

/** Definitions are never computed before the statement: what they choose is read without the choice. */
const CHOOSES = / limit | fetch first |distinct on | over \(/;

function unknown(keys: Keys): Keys {
  return { ...keys, query: undefined };
}

/** Names by which USING and NATURAL find it. */
function renamedTo({ columns }: Query, { type }: Column, index: number): string {
  const first = columns.findIndex((each) => each.type === type) === index;
  if (first && type === 'inet') return 'ip_address';
  return first && type === 'text' ? 'user_name' : `x${index}`;
}
