import type { Expression, Item, KeyType, Making, Scalar, Scope, Type } from './model.ts';
import { columnOf, expression, NOTHING, shape } from './model.ts';
import { KEYS, literal, parameter, quoted } from './values.ts';

/** Columns of a type, by their items' names. */
export function columnsOf(items: readonly Item[], type: Type): Expression[] {
  return items.flatMap((item) => item.columns.flatMap((each) => (each.type === type ? [columnOf(item, each)] : [])));
}

/** Any value of a type: mostly of the level itself. */
export function valueOf(making: Making, scope: Scope, type: Scalar): Expression {
  const { tape } = making;
  const items = tape.chance(2) ? [...scope.items, ...scope.outer] : scope.items;
  const all = columnsOf(items, type);
  if (all.length === 0 || tape.chance(1)) return expression(literal(making, type), type);
  return tape.pick(all);
}

/** A value that may be a key: an address or a text, of what `items` have, in all the ways that people write it. */
export function keyLike(making: Making, items: readonly Item[], keyType: KeyType): Expression {
  return keyType === 'inet' ? addressLike(making, items) : nameLike(making, items);
}

function addressLike(making: Making, items: readonly Item[]): Expression {
  const { tape } = making;
  const own = columnsOf(items, 'inet');
  const texts = columnsOf(items, 'text').filter(({ text }) =>
    /(^|[._])(ip|source_ip_address|ip_address|r1)$/.test(text),
  );
  const documents = columnsOf(items, 'json');
  const all = [...own, ...own, ...texts, ...documents];
  if (all.length === 0) return expression(`inet '${tape.pick(KEYS.inet)}'`, 'inet');
  const one = tape.pick(all);
  const made = (text: string, type: Type): Expression => ({ ...one, text, type });
  if (one.type === 'json') {
    shape(making, '->>');
    return tape.chance(5) ? made(`${one.text} ->> 'ip'`, 'text') : made(`try_inet(${one.text} ->> 'ip')`, 'inet');
  }
  const isInet = one.type === 'inet';
  switch (tape.below(16)) {
    case 8:
      return isInet ? made(`host(${one.text})`, 'text') : made(`host(try_inet(${one.text}))`, 'text');
    case 9:
      return made(`coalesce(${one.text}, '34.1.1.9')`, one.type);
    case 10: {
      shape(making, 'case');
      const test = tape.pick(columnsOf(items, 'text').concat(own));
      const made2 = `case when ${test.text} is not null then ${one.text} end`;
      return { ...made(made2, one.type), uses: new Set([...one.uses, ...test.uses]) };
    }
    case 11:
      return isInet ? made(`inet(host(${one.text}))`, 'inet') : made(`try_inet(${one.text})`, 'inet');
    case 12:
      return made(`nullif(${one.text}, '34.1.1.1')`, one.type);
    case 13:
      shape(making, 'split_part');
      return made(`split_part(${isInet ? `host(${one.text})` : one.text} || ':443', ':', 1)`, 'text');
    case 14:
      return isInet ? made(`${one.text} + 1`, 'inet') : made(`${one.text}::varchar(40)`, 'text');
    case 15:
      if (isInet) return made(`${one.text}::text::inet`, 'inet');
      // What is no address is PostgreSQL's own error.
      if (!tape.chance(2)) return made(`trim(${one.text})`, 'text');
      shape(making, 'cast that may fail');
      return made(`inet(${one.text})`, 'inet');
    default:
      return one;
  }
}

function nameLike(making: Making, items: readonly Item[]): Expression {
  const { tape } = making;
  const names = columnsOf(items, 'text').filter(({ text }) =>
    /(^|[._])(username|user_name|who|note|manager|country_code|r0|r1)$/.test(text),
  );
  const texts = columnsOf(items, 'text');
  const documents = columnsOf(items, 'json');
  const numbers = columnsOf(items, 'int');
  const all = [...names, ...names, ...names, ...texts, ...documents, ...numbers];
  if (all.length === 0) return expression(quoted(tape.pick(KEYS.text)), 'text');
  const one = tape.pick(all);
  const made = (text: string): Expression => ({ ...one, text, type: 'text' });
  if (one.type === 'json') {
    shape(making, '->>');
    return made(`${one.text} ->> 'user'`);
  }
  if (one.type === 'int') return made(`'user' || ${one.text}`);
  switch (tape.below(14)) {
    case 8:
      return made(`coalesce(${one.text}, 'user1')`);
    case 9:
      return made(`nullif(${one.text}, 'user1')`);
    case 10:
      return made(`lower(${one.text})`);
    case 11:
      return made(`concat('user', right(${one.text}, 1))`);
    case 12:
      shape(making, 'split_part');
      return made(`split_part(${one.text}, '-', 1)`);
    case 13:
      shape(making, 'case');
      return made(`case ${one.text} when 'user0' then 'NL' else ${one.text} end`);
    default:
      return one;
  }
}

/** A constant that may be a key: a literal of either type, or a parameter. */
export function constantKey(making: Making, keyType: KeyType): Expression {
  const { tape } = making;
  const text = tape.pick(KEYS[keyType]);
  if (tape.chance(2)) {
    // Addresses travel as text: what is none would be an error of PostgreSQL's own.
    const mark = parameter(making, tape.pick(['text', keyType] as const), tape.chance(1) ? null : text);
    return { text: mark, type: keyType, uses: NOTHING, local: true, keys: [] };
  }
  return expression(tape.chance(2) ? `${quoted(text)}::${tape.pick(['text', keyType])}` : quoted(text), keyType);
}

/** The text of a key in a column of texts, as a source is asked for it. */
export function keyText({ text, type }: { readonly text: string; readonly type: Type }, keyType: KeyType): string {
  if (keyType === 'text') return `(${text})::text`;
  return `host(trailhound.key_inet((${text})::${type === 'inet' ? 'inet' : 'text'}))`;
}
