import { condition, filter } from './conditions.ts';
import { constantKey, keyLike, keyText } from './expressions.ts';
import { settled } from './keys.ts';
import type { Expression, Item, Keys, KeyType, Making, Need, Piece } from './model.ts';
import { columnOf, NOTHING, piece, shape } from './model.ts';
import { keySource, type Source } from './sources.ts';
import { KEYS, parameter, quoted } from './values.ts';

/** A condition that bounds a key, and the keys that it gives. */
export interface Bound {
  readonly condition: Piece;
  readonly keys: readonly Keys[];
}

/** By a value of other items. @param direct what says so is the condition of the join that brings the item in */
export function boundByValue(making: Making, item: Item, need: Need, others: readonly Item[], direct: boolean): Bound {
  const { tape } = making;
  const value = keyLike(making, others, need.type);
  const key = keyColumn(item, need);
  const form = tape.below(22);
  const same = need.type === 'text' || value.type === 'inet';
  const typed = same ? value : { ...value, text: `try_inet(${value.text})`, type: 'inet' as const };
  const say = (text: string, by: Expression, ...more: Expression[]): Bound =>
    bound(item, need, piece(text, [key, by, ...more]), [by, ...more]);
  switch (form) {
    case 8:
      shape(making, 'row comparison');
      return say(`(${key.text}, 1) = (${typed.text}, 1)`, typed);
    case 9:
      return say(`${key.text} in (${value.text})`, value);
    case 10: {
      const other = constantKey(making, need.type);
      shape(making, 'or of keys');
      return say(`(${key.text} = ${value.text} or ${key.text} = ${other.text})`, value, other);
    }
    case 11:
      shape(making, 'any array');
      return say(`${key.text} = any (array[${typed.text}])`, typed);
    case 12:
      // NULL is no key, but a row that an outer join has made of NULLs would pass.
      if (!direct || need.nullable === true) return say(`${key.text} = ${value.text}`, value);
      shape(making, 'is not distinct');
      return say(`${key.text} is not distinct from ${value.text}`, value);
    case 13: {
      if (need.type === 'text') return say(`${value.text} = ${key.text}`, value);
      shape(making, 'host of key');
      const host = { ...typed, text: `host(${typed.text})`, type: 'text' as const };
      return say(`host(${key.text}) = ${host.text}`, host);
    }
    case 14: {
      const other = keyLike(making, others, need.type);
      shape(making, 'or of keys');
      return say(`(${key.text} = ${value.text} or ${other.text} = ${key.text})`, value, other);
    }
    case 15: {
      const other = keyLike(making, others, need.type);
      if (other.type !== value.type) return say(`${key.text} = ${value.text}`, value);
      shape(making, 'in of values');
      return say(`${key.text} in (${value.text}, ${other.text})`, value, other);
    }
    case 16:
      shape(making, 'equality is true');
      return say(
        tape.chance(5) ? `(${key.text} = ${value.text}) is true` : `coalesce(${key.text} = ${value.text}, false)`,
        value,
      );
    case 17:
      shape(making, 'not unequal');
      return say(`not (${key.text} <> ${value.text})`, value);
    case 18:
      shape(making, 'between one and the same');
      return say(`${key.text} between ${typed.text} and ${typed.text}`, typed);
    case 19: {
      const test = filter(making, { items: others, outer: [] });
      const other = constantKey(making, need.type);
      shape(making, 'case of equalities');
      const made = `case when ${test.text} then ${key.text} = ${value.text} else ${key.text} = ${other.text} end`;
      return bound(item, need, piece(made, [key, value, other, test]), [value, other]);
    }
    case 20: {
      const [one, two] = [filter(making, { items: [...others, item], outer: [] }), constantKey(making, need.type)];
      shape(making, 'or of conjunctions');
      const made = `(${one.text} and ${key.text} = ${value.text} or ${key.text} = ${two.text})`;
      const either = bound(item, need, piece(made, [key, value, one, two]), [value, two]);
      // Another condition on the key may give the keys as well.
      const isTwice = one.text.includes(key.text);
      return isTwice ? { ...either, keys: either.keys.map((each) => ({ ...each, query: undefined })) } : either;
    }
    default:
      return form % 2 === 0 ? say(`${key.text} = ${value.text}`, value) : say(`${value.text} = ${key.text}`, value);
  }
}

/** By constants and parameters. */
export function boundByConstants(making: Making, item: Item, need: Need): Bound {
  const { tape } = making;
  const key = keyColumn(item, need);
  const list = Array.from({ length: 1 + tape.below(3) }, () => tape.pick(KEYS[need.type]));
  const constants = list.map((text): Expression => ({
    text: quoted(text),
    type: need.type,
    uses: NOTHING,
    local: true,
    keys: [],
  }));
  const say = (text: string, values: readonly Expression[]): Bound => bound(item, need, piece(text, [key]), values);
  const texts = constants.map(({ text }) => text).join(', ');
  switch (tape.below(8)) {
    case 1: {
      const one = constantKey(making, need.type);
      return say(`${key.text} = ${one.text}`, [one]);
    }
    case 2:
      shape(making, 'any array');
      return say(`${key.text} = any ('{${list.map((text) => `"${text}"`).join(',')}}')`, constants);
    case 3: {
      const mark = parameter(making, `${need.type}[]`, `{${list.map((text) => `"${text}"`).join(',')},null}`);
      shape(making, 'array parameter');
      return say(`${key.text} = any (${mark})`, constants);
    }
    case 4:
      shape(making, 'or of keys');
      return say(`(${constants.map(({ text }) => `${key.text} = ${text}`).join(' or ')})`, constants);
    case 5: {
      shape(making, 'in values');
      const typed = constants.map(({ text }) => `(${text}::${need.type})`).join(', ');
      return say(`${key.text} in (values ${typed})`, constants);
    }
    case 6:
      shape(making, 'row comparison');
      return say(`(${key.text}, true) in (${constants.map(({ text }) => `(${text}, true)`).join(', ')})`, constants);
    default:
      return say(`${key.text} in (${texts})`, constants);
  }
}

/** By a subquery: IN, = ANY, EXISTS. It names nothing that depends on the item. */
export function boundBySubquery(making: Making, item: Item, need: Need, others: readonly Item[], depth: number): Bound {
  const { tape } = making;
  const key = keyColumn(item, need);
  const source: Source = keySource(making, need.type, others, depth);
  const keys = keysOf(
    item,
    need,
    `select distinct ${keyText({ text: '_.k', type: source.type }, need.type)} from (${source.all}) as _(k)`,
    source.uses,
  );
  const result = (text: string, parts: readonly Piece[], own = keys): Bound => ({
    condition: piece(text, [key, ...parts]),
    keys: own,
  });
  switch (tape.below(6)) {
    case 3:
      shape(making, '= any (select)');
      return result(`${key.text} = any (${source.select})`, [source]);
    case 4:
    case 5: {
      if (source.exists === undefined) break;
      const { value, level } = source.exists;
      const own = keysOf(item, need, `select ${keyText(value, need.type)} as k`, value.uses).map((each) => ({
        ...settled(each, level),
        of: item,
      }));
      shape(making, 'exists gives keys');
      // What more the subquery says of the item leaves keys out, which nobody has to see, or gives them.
      const more = tape.chance(3) ? [condition(making, { items: [item], outer: [] }, 3, true)] : [];
      const conjuncts = [`${key.text} = ${value.text}`, ...more.map(({ text }) => text)];
      const text = source.exists.text(tape.chance(5) ? conjuncts : conjuncts.toReversed());
      const isTwice = more.some((each) => each.text.includes(key.text));
      const either = isTwice ? own.map((each) => ({ ...each, query: undefined })) : own;
      return result(`exists (${text})`, [source, ...more], either);
    }
    default:
  }
  shape(making, 'in (select)');
  return result(`${key.text} in (${source.select})`, [source]);
}

function bound(item: Item, need: Need, made: Piece, values: readonly Expression[]): Bound {
  const keys = values.flatMap((value) => keysOf(item, need, `select ${keyText(value, need.type)} as k`, value.uses));
  return { condition: made, keys };
}

function keysOf(item: Item, need: Need, query: string, uses: ReadonlySet<Item>): Keys[] {
  return need.tables.map((table) => ({ table, query, uses, of: item }));
}

function keyColumn(item: Item, need: Need): Expression {
  return columnOf(item, { name: need.column, type: need.type satisfies KeyType });
}
