import { keyLike, keyText, valueOf } from './expressions.ts';
import { itemsOf, render } from './joins.ts';
import { finished, levelOf, whereClause } from './levels.ts';
import type { Expression, Keys, Making, Need, Piece, Scope } from './model.ts';
import { expression, piece, shape } from './model.ts';
import { queryOf } from './queries.ts';

/** [NOT] EXISTS over a level that may have look-ups of its own, bounded by the rows around it. */
export function existsCondition(making: Making, scope: Scope, depth: number): Piece {
  const { tape } = making;
  const level = levelOf(making, [...scope.items, ...scope.outer], depth + 1, tape.pick([1, 1, 0, 1]));
  const not = tape.chance(4) ? 'not ' : '';
  shape(making, `${not}exists`);
  const from = level.from.map((tree) => render(tree)).join(', ');
  return { text: `${not}exists (select from ${from}${whereClause(level)})`, ...finished(level, []) };
}

/** A value IN a query, which may hand out the key of a look-up itself. */
export function inCondition(making: Making, scope: Scope, depth: number, conjunct: boolean): Piece {
  const { tape } = making;
  const type = tape.pick(['inet', 'text'] as const);
  const value = keyLike(making, scope.items, type);
  const typed = type === 'inet' && value.type !== 'inet' ? { ...value, text: `try_inet(${value.text})` } : value;
  const outer = [...scope.items, ...scope.outer];
  const operator = tape.pick(['in', 'in', '= any']);
  shape(making, 'in');
  const query = queryOf(making, outer, depth + 1, { wanted: [type], exporting: tape.chance(5) ? type : undefined });
  // Beside TRUE and FALSE there is NULL, which rows without a key would make of FALSE.
  if (query.need?.nullable === true) making.doubtful = true;
  const made = `${typed.text} ${operator} (${query.text})`;
  // A table with a required key counts as never empty: NULL in what it hands out is NULL, which over no rows is FALSE.
  const text = query.need === undefined || conjunct ? made : `case when ${typed.text} is not null then ${made} end`;
  return piece(text, [typed, { ...query, keys: [...query.keys, ...handedOut(query.need, typed)] }]);
}

/** A table with a required key counts as never empty, which only a filter that some row passes is sure to show. */
export function notInCondition(making: Making, scope: Scope): Piece {
  const { tape } = making;
  const type = tape.pick(['inet', 'text'] as const);
  const value = keyLike(making, scope.items, type);
  const typed = type === 'inet' && value.type !== 'inet' ? { ...value, text: `try_inet(${value.text})` } : value;
  const query =
    type === 'inet'
      ? `select ip_address from abuseipdb_check_ip${tape.pick(['', ' where is_tor', ' where abuse_confidence_score > 20', ' where country_code is null'])}`
      : `select user_name from user_directory${tape.pick(['', " where department = 'IT'", ' where job_level > 1'])}`;
  shape(making, 'not in');
  const need: Need = { column: 'k', type, tables: [type === 'inet' ? 'abuseipdb_check_ip' : 'user_directory'] };
  const text = `${typed.text} ${tape.pick(['not in', '<> all'])} (${query})`;
  return { ...piece(text, [typed]), local: false, keys: [...typed.keys, ...handedOut(need, typed)] };
}

/** A scalar subquery compared with a value. */
export function scalarCondition(making: Making, scope: Scope, depth: number): Piece {
  const one = scalarValue(making, scope, depth, 'text');
  const value = valueOf(making, scope, 'text');
  return piece(`${one.text} ${making.tape.pick(['=', '<>', 'is distinct from'])} ${value.text}`, [one, value]);
}

/** `(select max(x) from …)`: one row whatever there is. */
export function scalarValue(making: Making, scope: Scope, depth: number, type: 'text' | 'inet' | 'int'): Expression {
  const { tape } = making;
  const level = levelOf(making, [...scope.items, ...scope.outer], depth + 1, tape.pick([1, 1, 0, 1]));
  const from = level.from.map((tree) => render(tree)).join(', ');
  const value = valueOf(making, { items: level.from.flatMap(itemsOf), outer: [] }, type);
  shape(making, 'scalar subquery');
  const nested = tape.chance(2);
  if (nested) {
    shape(making, 'scalar by limit');
    const made = {
      text: `(select ${value.text} from ${from}${whereClause(level)} order by 1 limit 1)`,
      ...finished(level, [value]),
    };
    return { ...expression('', type), ...made, local: false };
  }
  const call = type === 'int' && tape.chance(5) ? 'count(*)' : `${tape.pick(['max', 'min'])}(${value.text})`;
  return {
    ...expression('', type),
    text: `(select ${call} from ${from}${whereClause(level)})`,
    ...finished(level, [value]),
  };
}

/** Keys of what a subquery hands out: the value that is compared with it. */
function handedOut(need: Need | undefined, value: Expression): Keys[] {
  if (need === undefined) return [];
  const query =
    need.twice === true ? undefined : `select ${keyText({ text: value.text, type: need.type }, need.type)} as k`;
  return need.tables.map((table) => ({ table, query, uses: value.uses }));
}
