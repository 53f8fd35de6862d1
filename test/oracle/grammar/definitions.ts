import type { Column, Expression, Item, KeyType, Making, Query } from './model.ts';
import { nameIn, shape } from './model.ts';
import { lookupItem } from './tables.ts';

/** pg_type's names. */
const TYPE_NAMES = {
  inet: 'inet',
  text: 'text',
  int: 'integer',
  bool: 'boolean',
  json: 'jsonb',
  'inet[]': 'inet[]',
  'text[]': 'text[]',
} as const;

/** Where everybody may create what a statement needs. */
export const SCHEMA = 'mine';

/** What a query names that its definition could not: parameters and CTEs. */
export function mentionsIn({ values, ctes }: Making): number {
  return values.length + ctes.reduce((sum, { mentions }) => sum + mentions, 0);
}

/** A query as a view or a function of that body, made before the statement; undefined where it stays a subquery. */
export function defined(making: Making, query: Query, mentionsBefore: number): string | undefined {
  const { tape } = making;
  const kind = tape.pick(['subquery', 'subquery', 'subquery', 'subquery', 'view', 'subquery', 'function'] as const);
  if (kind === 'subquery' || query.uses.size > 0 || mentionsIn(making) > mentionsBefore) return undefined;
  shape(making, kind);
  if (kind === 'view') {
    const name = `${SCHEMA}.${nameIn(making, 'w')}`;
    making.before.push(`create view ${name} as ${query.text}`);
    making.afterwards.push(`drop view if exists ${name} cascade`);
    return name;
  }
  return `${createFunction(making, '', query.columns, query.text)}()`;
}

/** A function that looks one key up: `from …, f(value)`. */
export function lookupFunction(making: Making, valueOf: (type: KeyType) => Expression): Item {
  const { need, columns, text, alias: inner } = lookupItem(making);
  if (need === undefined) throw new Error('a look-up that needs nothing');
  const value = valueOf(need.type);
  const typed =
    need.type === 'inet' && value.type !== 'inet' ? `try_inet(${value.text})` : `(${value.text})::${need.type}`;
  const list = columns.map(({ name }) => `${inner}.${name}`).join(', ');
  const body = `select ${list} from ${text} where ${inner}.${need.column} = wanted`;
  const prefix = nameIn(making, 'o');
  const outputs = columns.map((column, index): Column => ({ ...column, name: `${prefix}_${index}` }));
  const name = createFunction(making, `wanted ${need.type}`, outputs, body);
  const alias = nameIn(making, 'f');
  shape(making, 'function of a key');
  return {
    text: `${name}(${typed}) ${alias}`,
    uses: value.uses,
    local: false,
    keys: [],
    alias,
    columns: outputs,
  };
}

function createFunction(making: Making, parameters: string, columns: readonly Column[], body: string): string {
  const name = `${SCHEMA}.${nameIn(making, 'g')}`;
  const results = columns.map(({ name: own, type }) => `${own} ${TYPE_NAMES[type]}`).join(', ');
  making.before.push(
    `create function ${name}(${parameters}) returns table (${results}) stable language sql as $$ ${body} $$`,
  );
  making.afterwards.push(`drop function if exists ${name} cascade`);
  return name;
}
