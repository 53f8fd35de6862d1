import { columnsOf, keyLike, valueOf } from './expressions.ts';
import type { Making, Piece, Scalar, Scope } from './model.ts';
import { piece, shape } from './model.ts';
import { existsCondition, inCondition, notInCondition, scalarCondition } from './sublinks.ts';
import { literal } from './values.ts';

const SCALARS: readonly Scalar[] = ['text', 'inet', 'int', 'bool'];

/** Any condition at all; deeper ones are simpler. @param conjunct of WHERE or ON, where NULL is as good as FALSE */
export function condition(making: Making, scope: Scope, depth: number, conjunct: boolean): Piece {
  const { tape } = making;
  const kind = tape.below(24);
  if (kind < 12 || depth >= 2) return filter(making, scope);
  if (kind < 15) return equality(making, scope);
  switch (kind) {
    case 15: {
      const parts = [condition(making, scope, depth + 1, false), condition(making, scope, depth + 1, false)];
      shape(making, 'or');
      return piece(`(${parts.map(({ text }) => text).join(' or ')})`, parts);
    }
    case 16: {
      const inner = condition(making, scope, depth + 1, false);
      return piece(`not (${inner.text})`, [inner]);
    }
    case 17:
    case 18:
      return existsCondition(making, scope, depth);
    case 19:
    case 20:
      return inCondition(making, scope, depth, conjunct);
    case 21:
      return notInCondition(making, scope);
    case 22:
      return scalarCondition(making, scope, depth);
    default: {
      const all = ['1 = 1', "now() > '2000-01-01'", '1 <> 1', 'null::boolean'];
      return piece(tape.pick(making.unbounded ? all.slice(0, 2) : all));
    }
  }
}

/** Two addresses or two names. */
export function equality(making: Making, scope: Scope): Piece {
  const type = making.tape.pick(['inet', 'text'] as const);
  const all = [...scope.items, ...scope.outer];
  const [one, two] = [keyLike(making, scope.items, type), keyLike(making, all, type)];
  const operator = making.tape.pick(['=', '=', '=', '=', '<>', 'is not distinct from', 'is distinct from']);
  return piece(`${one.text} ${operator} ${two.text}`, [one, two]);
}

/** A condition of one value. */
export function filter(making: Making, scope: Scope): Piece {
  const { tape } = making;
  if (scope.items.length > 0 && tape.below(20) === 19) {
    const item = tape.pick(scope.items);
    shape(making, 'whole row');
    return { ...piece(`${item.alias} is ${tape.pick(['null', 'not null'])}`), uses: new Set([item]) };
  }
  const present = SCALARS.filter((each) => columnsOf(scope.items, each).length > 0);
  const type = tape.pick(present.length === 0 ? SCALARS : present);
  const value = valueOf(making, scope, type);
  const { text } = value;
  const other = (): string => literal(making, type);
  const say = (condition: string): Piece => piece(condition, [value]);
  switch (tape.below(type === 'bool' ? 12 : 10)) {
    case 0:
      return say(`${text} = ${other()}`);
    case 1:
      return say(`${text} is not null`);
    case 2:
      return say(`${text} <> ${other()}`);
    case 3:
      return say(`${text} is null`);
    case 4:
      return say(`${text} is distinct from ${other()}`);
    case 5:
      return say(`coalesce(${text}, ${other()}) = ${other()}`);
    case 6:
      return say(
        type === 'text'
          ? `${text} like '${tape.pick(['34.%', 'user%', '%e%', 'List_uckets'])}'`
          : `${text} in (${other()}, ${other()})`,
      );
    case 7:
      return say(`${text} >= ${other()}`);
    case 8:
      return say(`${text} between ${other()} and ${other()}`);
    case 9:
      return say(type === 'inet' ? `${text} <<= '34.1.1.0/29'` : `${text} = any (array[${other()}, ${other()}])`);
    default:
      return say(tape.pick([text, `not ${text}`, `${text} is not true`, `${text} is true`]));
  }
}
