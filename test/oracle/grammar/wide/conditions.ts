import { filter } from '../conditions.ts';
import { keyLike } from '../expressions.ts';
import type { Making, Scope } from '../model.ts';
import { shape } from '../model.ts';
import { scalar, some, whereOf, wideQuery } from './queries.ts';
import { wideRows } from './rows.ts';
import { lookupItem } from '../tables.ts';

/** A condition that may read look-ups, in whatever way. */
export function wideCondition(making: Making, scope: Scope, depth: number): string {
  const { tape } = making;
  const kind = depth >= 3 ? 0 : tape.below(14);
  const inside = [...scope.items, ...scope.outer];
  switch (kind) {
    case 6: {
      const rows = wideRows(making, inside, depth + 1);
      const not = tape.pick(['', 'not ']);
      return `${not}exists (select from ${rows.text}${whereOf(making, rows, inside, depth + 2)})`;
    }
    case 7: {
      const type = tape.pick(['inet', 'text'] as const);
      const query = wideQuery(making, inside, depth + 1, [type]);
      shape(making, 'wide in');
      return `${some(making, scope.items, type)} ${tape.pick(['in', '= any', 'not in', '<> all', 'in'])} (${query.text})`;
    }
    case 8: {
      const query = wideQuery(making, inside, depth + 1, ['text', 'inet']);
      const [text, inet] = [some(making, scope.items, 'text'), some(making, scope.items, 'inet')];
      return `(${text}, ${inet}) ${tape.pick(['in', 'not in'])} (${query.text})`;
    }
    case 9:
    case 10: {
      const { alias, text, need, columns } = lookupItem(making);
      const type = need?.type ?? 'inet';
      const value = keyLike(making, scope.items, type);
      const typed = type === 'inet' && value.type !== 'inet' ? `try_inet(${value.text})` : value.text;
      const only = tape.chance(6)
        ? ` where ${filter(making, { items: [{ ...scopeItem, alias, columns }], outer: [] }).text}`
        : '';
      shape(making, 'wide key in');
      return `${typed} ${tape.pick(['in', 'not in', '= any', 'in'])} (select ${alias}.${need?.column ?? ''} from ${text}${only})`;
    }
    case 11:
      return `${scalar(making, inside, 'int', depth + 1)} ${tape.pick(['>', '=', '<>', 'is distinct from'])} ${tape.below(3)}`;
    case 12:
      return `(${wideCondition(making, scope, depth + 1)} or ${wideCondition(making, scope, depth + 1)})`;
    case 13:
      return `(${wideCondition(making, scope, depth + 1)}) is ${tape.pick(['true', 'not true', 'not false', 'unknown'])}`;
    default:
      return filter(making, scope).text;
  }
}

const scopeItem = { text: '', uses: new Set<never>(), local: false, keys: [] } as const;
