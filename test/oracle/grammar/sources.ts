import { keyLike } from './expressions.ts';
import { itemsOf, render } from './joins.ts';
import type { Surroundings } from './keys.ts';
import { sourceLevel } from './levels.ts';
import type { Expression, Item, KeyType, Making, Piece, Type } from './model.ts';
import { piece, shape } from './model.ts';
import { finished } from './levels.ts';

/** A subquery of one column that gives keys. */
export interface Source extends Piece {
  readonly select: string;
  /** What gives its keys: what is chosen anew for each row around it is read without the choice. */
  readonly all: string;
  readonly type: Type;
  /** The same as EXISTS asks it, where it is a plain level: with conjuncts more. */
  readonly exists?:
    | {
        readonly value: Expression;
        /** Look-ups beside the value may be asked before what it gives keys for, or after that. */
        readonly level: Surroundings;
        text(conjuncts: readonly string[]): string;
      }
    | undefined;
}

/** @param others items around it that it may name */
export function keySource(making: Making, keyType: KeyType, others: readonly Item[], depth: number): Source {
  const { tape } = making;
  const level = sourceLevel(making, tape.chance(2) ? others : [], depth + 1);
  const items = level.from.flatMap(itemsOf);
  const value: Expression = typedLike(keyLike(making, items, keyType), keyType);
  const from = level.from.map((tree) => render(tree)).join(', ');
  const where = level.where.map(({ text }) => text);
  const done = finished(level, [value]);
  const clause = (conjuncts: readonly string[]): string =>
    conjuncts.length === 0 ? '' : ` where ${conjuncts.join(' and ')}`;
  const plain = `select ${value.text} from ${from}${clause(where)}`;
  const made = (select: string, local = done.local, all = select): Source => ({
    ...piece(select, []),
    ...done,
    local,
    select,
    all,
    type: value.type,
  });
  switch (tape.below(10)) {
    case 5:
      shape(making, 'keys by limit');
      return made(`${plain} order by 1 limit ${1 + tape.below(3)}`, false, done.uses.size > 0 ? plain : undefined);
    case 6:
      shape(making, 'keys by group');
      return made(`select ${value.text} from ${from}${clause(where)} group by 1 having count(*) > ${tape.below(2)}`);
    case 7:
      shape(making, 'keys by union');
      return made(
        `${plain} union ${tape.chance(5) ? 'all ' : ''}select ip${keyType === 'inet' ? '' : '::text'} from seen`,
      );
    case 8:
      shape(making, 'keys by except');
      return made(`${plain} except select ip${keyType === 'inet' ? '' : '::text'} from seen`);
    case 9:
      if (keyType === 'text' || value.type !== 'inet') break;
      shape(making, 'keys by aggregate');
      return made(`select max(${value.text}) from ${from}${clause(where)}`);
    default:
  }
  const exists = {
    value,
    level,
    text: (more: readonly string[]) => `select from ${from}${clause([...where, ...more])}`,
  };
  return { ...made(plain), exists };
}

/** Set operations want one type. */
function typedLike(value: Expression, keyType: KeyType): Expression {
  if (keyType === 'text') return { ...value, text: `(${value.text})::text`, type: 'text' };
  return value.type === 'inet' ? value : { ...value, text: `try_inet(${value.text})`, type: 'inet' };
}
