import { columnsOf } from '../expressions.ts';
import type { Item, Making } from '../model.ts';
import { nameIn, piece, shape } from '../model.ts';

/**
 * A look-up with an input column, which every mention of it says: by a constant, by several, or by a number of a row
 * beside it. What it says nothing of would be the default's rows, where a table that holds everything has all.
 */
export function agedLookup(making: Making, items: readonly Item[]): Item {
  const { tape } = making;
  const alias = nameIn(making, 'a');
  const numbers = columnsOf(items, 'int').filter(({ text }) => /\.(n|id|weight|nth)$/.test(text));
  const beside = numbers.length > 0 && tape.chance(5) ? tape.pick(numbers).text : undefined;
  const age = tape.pick(['= 1', '= 3', 'in (1, 3)', '= any (array[3, 7])', 'in (values (1), (20))', '= 20']);
  shape(making, beside === undefined ? 'input by constants' : 'input by a row');
  const said = beside === undefined ? age : `= ${beside}`;
  const lateral = beside === undefined ? '' : 'lateral ';
  return {
    ...piece(`${lateral}(select * from reputation_since where since ${said}) ${alias}`),
    local: false,
    alias,
    columns: [
      { name: 'ip_address', type: 'inet' },
      { name: 'since', type: 'int' },
      { name: 'country', type: 'text' },
      { name: 'score', type: 'int' },
    ],
    need: { column: 'ip_address', type: 'inet', tables: ['reputation_since'] },
  };
}
