import { filter } from '../conditions.ts';
import { columnsOf, valueOf } from '../expressions.ts';
import type { Column, Expression, Item, Making, Scalar } from '../model.ts';
import { nameIn, shape } from '../model.ts';
import { literal } from '../values.ts';
import { wideCondition } from './conditions.ts';
import { grouped } from './groups.ts';
import { recursion } from './recursions.ts';
import { wideRows, type Rows } from './rows.ts';

/** A query and its columns, none of which is json. */
export interface Wide {
  readonly text: string;
  readonly columns: readonly Column[];
}

const TYPES: readonly Scalar[] = ['text', 'inet', 'int', 'bool'];

/** Any query at all, most of which is bounded. @param wanted the types of its columns; any where undefined */
export function wideQuery(making: Making, outer: readonly Item[], depth: number, wanted?: readonly Scalar[]): Wide {
  const { tape } = making;
  const types = wanted ?? Array.from({ length: 1 + tape.below(3) }, () => tape.pick(TYPES));
  switch (depth >= 3 ? 0 : tape.below(16)) {
    case 5:
    case 6:
    case 7:
      return grouped(making, wideRows(making, outer, depth), types, depth, outer);
    case 8:
    case 9:
      return windowed(making, wideQuery(making, outer, depth + 1), types);
    case 10:
    case 11:
      return cut(making, wideQuery(making, outer, depth + 1, types));
    case 12:
      return combined(making, outer, depth, types);
    case 13:
      return withCtes(making, outer, depth, types);
    case 14:
      return values(making, types);
    case 15:
      return depth === 0 ? recursion(making, types, depth) : plain(making, outer, depth, types);
    default:
      return plain(making, outer, depth, types);
  }
}

export function named(making: Making, types: readonly Scalar[]): Column[] {
  const prefix = nameIn(making, 'c');
  return types.map((type, index) => ({ name: `${prefix}_${index}`, type }));
}

export function listOf(texts: readonly string[], columns: readonly Column[]): string {
  return texts.map((text, index) => `${text} as ${columns[index]?.name ?? ''}`).join(', ');
}

function plain(making: Making, outer: readonly Item[], depth: number, types: readonly Scalar[]): Wide {
  const { tape } = making;
  const rows = wideRows(making, outer, depth);
  const where = whereOf(making, rows, outer, depth);
  const columns = named(making, types);
  const outputs = types.map((type) => output(making, rows, outer, type, depth));
  const distinct = tape.chance(1) ? 'distinct ' : '';
  const text = `select ${distinct}${listOf(outputs, columns)} from ${rows.text}${where}`;
  return { text: distinct === '' && tape.chance(2) ? `${text}${first(making, rows, columns)}` : text, columns };
}

/** ORDER BY what FROM gives, and LIMIT: rows that tie in that come in the order of all outputs. */
function first(making: Making, { items }: Rows, columns: readonly Column[]): string {
  const { tape } = making;
  const by = Array.from({ length: 1 + tape.below(2) }, () => some(making, items, tape.pick(TYPES)));
  const sorted = [...by.filter((each) => each.includes('.')), ...columns.map((_column, index) => String(index + 1))];
  shape(making, 'wide first rows');
  const order = sorted
    .map((each) => `${each}${tape.pick(['', ' desc', ' nulls first', ' desc nulls last'])}`)
    .join(', ');
  return ` order by ${order} limit ${1 + tape.below(5)}${tape.pick(['', '', ` offset ${1 + tape.below(3)}`])}`;
}

export function whereOf(making: Making, { items }: Rows, outer: readonly Item[], depth: number): string {
  const conditions = Array.from({ length: making.tape.pick([0, 1, 0, 1, 2]) }, () =>
    wideCondition(making, { items, outer }, depth),
  );
  return conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`;
}

export function output(making: Making, { items }: Rows, outer: readonly Item[], type: Scalar, depth: number): string {
  const { tape } = making;
  const scope = { items, outer };
  const kind = tape.below(12);
  if (kind === 11 && type === 'text') return wholeRow(making, items) ?? valueOf(making, scope, type).text;
  if (kind === 10 && type === 'bool') return `(${wideCondition(making, scope, depth)})`;
  if (kind >= 8 && depth < 2 && type !== 'bool') return scalar(making, [...items, ...outer], type, depth);
  if (kind === 7) {
    const made = `case when ${filter(making, scope).text} then ${valueOf(making, scope, type).text} else ${valueOf(making, scope, type).text} end`;
    return made;
  }
  return valueOf(making, scope, type).text;
}

/** People and local rows are whole in either world. */
function wholeRow(making: Making, items: readonly Item[]): string | undefined {
  const whole = items.filter(({ text }) => /^(user_directory|watchlist|suspect|seen|nobody|watched) \w+$/.test(text));
  if (whole.length === 0) return undefined;
  const { alias, columns } = making.tape.pick(whole);
  const first = columns[0]?.name ?? '';
  shape(making, 'wide whole row');
  return making.tape.pick([
    `${alias}::text`,
    `to_jsonb(${alias})::text`,
    `(${alias}).${first}::text`,
    `row(${alias}.*)::text`,
    `(${alias} is null)::text`,
  ]);
}

/** A scalar subquery over rows that may have look-ups of their own, by the rows around it. */
export function scalar(making: Making, outer: readonly Item[], type: Scalar, depth: number): string {
  const { tape } = making;
  const rows = wideRows(making, outer, depth + 1);
  const where = whereOf(making, rows, outer, depth + 2);
  const value = valueOf(making, { items: rows.items, outer: [] }, type).text;
  shape(making, 'wide scalar');
  if (tape.chance(4))
    return `(select ${value} from ${rows.text}${where} order by 1${tape.pick(['', ' desc'])} limit 1)`;
  const only = tape.chance(3) ? ` filter (where ${filter(making, { items: rows.items, outer: [] }).text})` : '';
  if (type === 'bool') return `(select bool_or(${value})${only} from ${rows.text}${where})`;
  if (type === 'int' && tape.chance(5)) return `(select count(*)${only}::int from ${rows.text}${where})`;
  return `(select ${tape.pick(['max', 'min'])}(${value})${only} from ${rows.text}${where})`;
}

/** Ties in the order are equal rows, whatever the window makes of them. */
function windowed(making: Making, inner: Wide, types: readonly Scalar[]): Wide {
  const { tape } = making;
  const alias = nameIn(making, 'd');
  const own = inner.columns.map(({ name, type }): Expression => {
    return { text: `${alias}.${name}`, type, uses: new Set(), local: true, keys: [] };
  });
  const order = own.map(({ text }) => `${text}${tape.pick(['', ' desc'])}`).join(', ');
  const partition = tape.chance(5) ? `partition by ${tape.pick(own).text} ` : '';
  const columns = named(making, types);
  shape(making, 'wide window');
  const outputs = types.map((type) => {
    const same = own.filter((each) => each.type === type);
    if (type === 'int' && tape.chance(6))
      return `(${tape.pick(['row_number()', 'rank()', 'count(*)', 'ntile(3)'])} over (${partition}order by ${order}))::int`;
    if (same.length === 0) return literal(making, type);
    const { text } = tape.pick(same);
    if (type === 'bool') return text;
    return tape.pick([
      text,
      `lag(${text}) over (${partition}order by ${order})`,
      `first_value(${text}) over (${partition}order by ${order})`,
      `max(${text}) over (${partition}order by ${order} rows between 1 preceding and current row)`,
      `max(${text}) over ()`,
    ]);
  });
  return { text: `select ${listOf(outputs, columns)} from (${inner.text}) ${alias}`, columns };
}

/** Some of the rows, by an order of all columns. */
export function cut(making: Making, inner: Wide): Wide {
  const { tape } = making;
  const { columns } = inner;
  const alias = nameIn(making, 'd');
  const order = columns.map((_column, index) => `${index + 1}${tape.pick(['', ' desc', ' nulls first'])}`).join(', ');
  shape(making, 'wide cut');
  const distinct = `select distinct on (${columns[0]?.name ?? ''}) * from (${inner.text}) ${alias} order by ${columns.map((_column, index) => String(index + 1)).join(', ')}`;
  const text = tape.pick([
    `select * from (${inner.text}) ${alias} order by ${order} limit ${1 + tape.below(5)}`,
    `select * from (${inner.text}) ${alias} order by ${order} limit ${1 + tape.below(3)} offset ${tape.below(3)}`,
    `select ${alias}.* from (${inner.text}) ${alias} order by 1 fetch first ${1 + tape.below(3)} rows with ties`,
    distinct,
    `select * from (${inner.text}) ${alias} order by ${order} offset ${tape.below(4)}`,
  ]);
  return { text, columns };
}

function combined(making: Making, outer: readonly Item[], depth: number, types: readonly Scalar[]): Wide {
  const { tape } = making;
  const branches = [0, 1].map(() => {
    const branch = wideQuery(making, outer, depth + 1, types);
    return tape.chance(4) ? cut(making, branch) : branch;
  });
  const operator = tape.pick(['union', 'union all', 'intersect', 'except', 'intersect all', 'except all']);
  shape(making, `wide ${operator}`);
  return {
    text: branches.map(({ text }) => `(${text})`).join(` ${operator} `),
    columns: branches[0]?.columns ?? [],
  };
}

/** CTEs of which later ones read earlier ones, each maybe more than once. */
function withCtes(making: Making, outer: readonly Item[], depth: number, types: readonly Scalar[]): Wide {
  const { tape, ctes } = making;
  const before = ctes.length;
  const texts = Array.from({ length: 1 + tape.below(3) }, () => {
    const { text, columns } = wideQuery(making, outer, depth + 1);
    const name = nameIn(making, 'k');
    const own = columns.map(({ type }, index): Column => ({ name: `${name}_${index}`, type }));
    ctes.push({ name, columns: own, need: undefined, local: false, mentions: 0 });
    const how = tape.pick(['', '', 'materialized ', 'not materialized ']);
    return `${name}(${own.map((column) => column.name).join(', ')}) as ${how}(${text})`;
  });
  shape(making, 'wide with');
  const query = wideQuery(making, outer, depth + 1, types);
  ctes.length = before;
  return { ...query, text: `with ${texts.join(', ')} ${query.text}` };
}

function values(making: Making, types: readonly Scalar[]): Wide {
  const rows = [0, 1, 2].map(() => `(${types.map((type) => literal(making, type)).join(', ')})`);
  const columns = named(making, types);
  const alias = nameIn(making, 'v');
  const names = columns.map(({ name }) => name).join(', ');
  return { text: `select * from (values ${rows.join(', ')}) as ${alias}(${names})`, columns };
}

/** Columns of a type, or a constant. */
export function some(making: Making, items: readonly Item[], type: Scalar): string {
  const own = columnsOf(items, type);
  return own.length === 0 ? literal(making, type) : making.tape.pick(own).text;
}
