import { condition } from './conditions.ts';
import { exportingItem } from './derived.ts';
import { keyLike, valueOf } from './expressions.ts';
import { itemsOf, render } from './joins.ts';
import { hiddenWith } from './keys.ts';
import { finished, levelOf, mentionsOf, whereClause, type Level } from './levels.ts';
import type { Column, Expression, Item, KeyType, Making, Piece, Query, Scalar, Scope } from './model.ts';
import { columnOf, expression, nameIn, piece, shape } from './model.ts';
import { scalarValue } from './sublinks.ts';
import { lookupItem } from './tables.ts';
import { unboundedLevel } from './unbounded.ts';

export interface Wanted {
  /** Types of its columns; any where undefined. */
  readonly wanted?: readonly Scalar[] | undefined;
  /** Its first column is a key of this type (or of any) that it leaves to what is around it. */
  readonly exporting?: KeyType | 'any' | undefined;
  /** At the statement's own level something else decides about order and LIMIT. */
  readonly unlimited?: boolean | undefined;
}

const TYPES: readonly Scalar[] = ['text', 'inet', 'int', 'bool'];

/** A query, or a set operation of two. */
export function queryOf(making: Making, outer: readonly Item[], depth: number, wanted: Wanted = {}): Query {
  const { tape } = making;
  if (depth >= 2 || !tape.chance(1)) return selectOf(making, outer, depth, wanted);
  const left = selectOf(making, outer, depth + 1, wanted);
  const types = left.columns.map(({ type }) => type as Scalar);
  const right = selectOf(making, outer, depth + 1, { wanted: types, exporting: left.need?.type });
  // Rows that one side takes from the other are no longer those that the key brought.
  const operator = tape.pick(
    left.need === undefined ? ['union', 'union all', 'intersect', 'except', 'except all'] : ['union', 'union all'],
  );
  shape(making, operator);
  const need =
    left.need === undefined || right.need === undefined
      ? undefined
      : {
          ...left.need,
          tables: [...left.need.tables, ...right.need.tables],
          nullable: left.need.nullable === true || right.need.nullable === true,
          twice: left.need.twice === true || right.need.twice === true,
        };
  return { ...piece(`(${left.text}) ${operator} (${right.text})`, [left, right]), columns: left.columns, need };
}

function selectOf(
  making: Making,
  outer: readonly Item[],
  depth: number,
  { wanted, exporting, unlimited }: Wanted,
): Query {
  const { tape } = making;
  const handed = exporting === undefined ? undefined : handedOut(making, outer, depth, exporting);
  const lookups = depth === 0 ? tape.pick([1, 1, 2, 1]) : tape.pick(handed === undefined ? [0, 1, 0, 1] : [0, 0, 0, 1]);
  const free = depth === 0 && making.unbounded && !making.left;
  if (free) making.left = true;
  const level = free ? unboundedLevel(making) : levelOf(making, outer, depth, lookups, handed);
  const scope: Scope = { items: level.from.flatMap(itemsOf), outer };
  const types = wanted ?? Array.from({ length: 1 + tape.below(3) }, () => tape.pick(TYPES));
  const nullable = handed !== undefined && level.from.some((tree) => hiddenWith(tree, handed).length > 0);
  const need =
    handed?.need === undefined
      ? undefined
      : {
          ...handed.need,
          nullable: nullable || handed.need.nullable === true,
          twice: handed.need.twice === true || mentionsOf(level, handed, handed.need.column) > 0,
        };
  const key =
    handed?.need === undefined ? undefined : columnOf(handed, { name: handed.need.column, type: handed.need.type });
  const outputs = types.map((type, index) =>
    index === 0 && key !== undefined ? key : outputOf(making, scope, type, depth, key),
  );
  const columns = named(making, outputs);
  const from = level.from.map((tree) => render(tree)).join(', ');
  if (tape.chance(2)) return { ...grouped(making, level, outputs, columns, from, handed), need };
  const list = outputs.map(({ text }, index) => `${text} as ${columns[index]?.name ?? ''}`).join(', ');
  const distinct = tape.chance(1) ? 'distinct ' : '';
  const body = `select ${distinct}${list} from ${from}${whereClause(level)}`;
  const done = finished(level, outputs);
  const plain = { columns, need, ...done };
  if (handed !== undefined || unlimited === true || !tape.chance(depth > 0 ? 2 : 1)) return { ...plain, text: body };
  return { ...plain, ...once(making, body, columns), local: false, once: true };
}

/** What is no function of its input row by row: evaluated once. Ordered by every column, ties are equal rows. */
function once(making: Making, body: string, columns: readonly Column[]): { readonly text: string } {
  const { tape } = making;
  const order = columns.map((_column, index) => `${index + 1}${tape.pick(['', ' desc', ' nulls first'])}`).join(', ');
  const count = making.unbounded ? 2 : tape.below(5);
  switch (tape.below(5)) {
    case 2:
      shape(making, 'with ties');
      return { text: `${body} order by 1 fetch first ${count + 1} rows with ties` };
    case 3: {
      shape(making, 'distinct on');
      const alias = nameIn(making, 'd');
      const all = columns.map((_column, index) => String(index + 1)).join(', ');
      return { text: `select distinct on (${columns[0]?.name ?? ''}) * from (${body}) ${alias} order by ${all}` };
    }
    case 4:
      shape(making, 'offset');
      return { text: `${body} order by ${order} limit ${count + 1} offset ${tape.below(3)}` };
    default:
      shape(making, 'limit');
      return { text: `${body} order by ${order} limit ${count}` };
  }
}

/** GROUP BY some of the columns, aggregates of the others; what is handed out is always grouped by. */
function grouped(
  making: Making,
  level: Level,
  outputs: readonly Expression[],
  columns: readonly Column[],
  from: string,
  handed: Item | undefined,
): Query {
  const { tape } = making;
  const by: string[] = [];
  const asked: Piece[] = [];
  const targets = outputs.map(({ text, type }, index) => {
    const isColumn = /^[a-z]+\d+\.\w+$/.test(text);
    if ((index === 0 && handed !== undefined) || (isColumn && tape.chance(5))) {
      by.push(text);
      return text;
    }
    if (type === 'text' && handed === undefined && tape.chance(1)) {
      const made = lookedUpByAggregate(making, level);
      asked.push(made);
      return made.text;
    }
    if (type === 'int' && tape.chance(5)) return 'count(*)::int';
    return type === 'bool' ? `bool_or(${text})` : `${tape.pick(['max', 'min'])}(${text})`;
  });
  shape(making, 'group by');
  const sets = by.length > 0 && handed === undefined && tape.chance(2);
  if (sets) shape(making, 'grouping sets');
  const having = tape.chance(3) ? ` having count(*) > ${tape.below(2)}` : '';
  const clause =
    by.length === 0 ? '' : ` group by ${sets ? `${tape.pick(['rollup', 'cube'])} (${by.join(', ')})` : by.join(', ')}`;
  const list = targets.map((target, index) => `${target} as ${columns[index]?.name ?? ''}`).join(', ');
  return {
    text: `select ${list} from ${from}${whereClause(level)}${clause}${having}`,
    columns,
    ...finished(level, [...outputs, ...asked]),
  };
}

/** `(select … from look-up where key = max(x))`: the key is an aggregate of the level around it. */
function lookedUpByAggregate(making: Making, level: Level): Piece {
  const item = lookupItem(making);
  const { need } = item;
  if (need === undefined) throw new Error('a look-up that needs nothing');
  const value = keyLike(making, level.from.flatMap(itemsOf), need.type);
  const typed = need.type === 'inet' && value.type !== 'inet' ? `try_inet(${value.text})` : value.text;
  const shown = item.columns.find(({ type }) => type === 'text' && need.type !== 'text') ?? item.columns[1];
  shape(making, 'key by an aggregate around');
  return {
    ...piece(
      `(select max(${item.alias}.${shown?.name ?? ''}) from ${item.text} where ${item.alias}.${need.column} = max(${typed}))`,
      [value],
    ),
    local: false,
    keys: need.tables.map((table) => ({ table, query: undefined, uses: value.uses })),
  };
}

function handedOut(making: Making, outer: readonly Item[], depth: number, type: KeyType | 'any'): Item {
  for (;;) {
    const item = depth < 2 && making.tape.chance(1) ? exportingItem(making, outer, depth) : lookupItem(making);
    if (type === 'any' || item.need?.type === type) return item;
    // A tape at its end gives addresses alone.
    if (type === 'text') {
      making.names += 1;
      const alias = nameIn(making, 'a');
      const columns: Column[] = [
        { name: 'user_name', type: 'text' },
        { name: 'manager', type: 'text' },
        { name: 'home', type: 'inet' },
      ];
      const need = { column: 'user_name', type: 'text', tables: ['user_directory'] } as const;
      return { ...piece(`user_directory ${alias}`), local: false, alias, columns, need };
    }
  }
}

function named(making: Making, outputs: readonly Expression[]): Column[] {
  const prefix = nameIn(making, 'c');
  return outputs.map(({ type }, index) => ({ name: `${prefix}_${index}`, type }));
}

function outputOf(making: Making, scope: Scope, type: Scalar, depth: number, key: Expression | undefined): Expression {
  const { tape } = making;
  if (depth < 1 && type !== 'bool' && tape.chance(2)) return scalarValue(making, scope, depth, type);
  if (depth < 1 && type === 'bool' && tape.chance(3)) {
    const made = condition(making, scope, depth + 1, false);
    return { ...expression('', 'bool'), ...made, text: `(${made.text})` };
  }
  if (type === 'int' && tape.chance(1)) {
    shape(making, 'window');
    // Partitions of what is handed out are whole for each key.
    const [one, two] = [key ?? valueOf(making, scope, 'inet'), valueOf(making, scope, 'text')];
    const call = tape.pick(['count(*)', 'rank()', 'dense_rank()', 'sum(1)']);
    return {
      ...expression(`(${call} over (partition by ${one.text} order by ${two.text}))::int`, 'int', [one, two]),
      local: false,
    };
  }
  return valueOf(making, scope, type);
}
