import { Tape } from '../tape.ts';
import { cteOf } from './ctes.ts';
import { freeStatement } from './free-statement.ts';
import type { Generated } from './generated.ts';
import type { Making } from './model.ts';
import { shape } from './model.ts';
import type { Query } from './model.ts';
import { changeOf } from './changes.ts';
import { recursiveCteOf } from './recursion.ts';
import { queryOf } from './queries.ts';
import { wideQuery } from './wide/queries.ts';
import { wrapped } from './wide/wrapped.ts';
import { inVessel } from './vessels.ts';

/** A statement made of numbers: zeros make the simplest one. */
export function statementOf(numbers: readonly number[]): Generated {
  const tape = new Tape(numbers.slice(1));
  const which = (numbers[0] ?? 0) % 8;
  // One in eight follows no plan: what it bounds is anybody's guess, its rows are not.
  if (which === 7) {
    return {
      text: freeStatement(numbers.slice(1)),
      values: [],
      label: 'unknown',
      ordered: false,
      allowed: new Map(),
      shapes: new Set(['free']),
    };
  }
  const making: Making = {
    tape,
    values: [],
    shapes: new Set(),
    ctes: [],
    before: [],
    afterwards: [],
    unbounded: tape.below(20) === 19,
    left: false,
    doubtful: false,
    names: 0,
  };
  if (which === 6) {
    const query = tape.chance(3) ? wrapped(making) : { text: wideQuery(making, [], 0).text, ordered: false };
    // Through the endpoint, which runs it in REPEATABLE READ: what SEARCH and CYCLE mark reads tables twice.
    if ([...making.shapes].some((each) => /^wide recursion [1-3]$/.test(each))) making.before.push('select 1');
    return inVessel(making, {
      ...query,
      values: making.values,
      label: 'unknown',
      allowed: new Map(),
      shapes: making.shapes,
    });
  }
  const kinds = Array.from({ length: tape.pick([0, 0, 0, 1, 2]) }, () => tape.chance(2));
  const ctes = kinds.map((isRecursive) => (isRecursive ? recursiveCteOf(making) : cteOf(making)));
  const change = tape.chance(1) && !making.unbounded ? changeOf(making) : undefined;
  const query = change ?? queryOf(making, [], 0, { unlimited: true });
  const withClause =
    ctes.length === 0
      ? ''
      : `with ${kinds.includes(true) ? 'recursive ' : ''}${ctes.map(({ text }) => text).join(', ')} `;
  const keys = [...ctes.flatMap((each) => each.keys), ...query.keys];
  const allowed = new Map<string, string[]>();
  const unsure = new Set(keys.flatMap(({ table, query: own }) => (own === undefined ? [table] : [])));
  for (const table of ['abuseipdb_check_ip', 'user_directory']) {
    if (unsure.has(table)) continue;
    allowed.set(
      table,
      keys.flatMap((each) => (each.table === table && each.query !== undefined ? [`${withClause}${each.query}`] : [])),
    );
  }
  const text = change === undefined ? `${withClause}${query.text}` : withBefore(withClause, query.text);
  const idle = making.ctes.some(({ need, mentions }) => need !== undefined && mentions === 0);
  const label = making.left ? 'unbounded' : making.doubtful || idle ? 'unknown' : 'bounded';
  const base = { values: making.values, label, allowed, shapes: making.shapes } as const;
  if (change !== undefined) return inVessel(making, { ...base, text, ordered: false, after: change.after });
  return inVessel(making, { ...base, ...inOrder(making, text, query as Query) });
}

/** ORDER BY and LIMIT of the statement itself. */
function inOrder(making: Making, text: string, query: Query): Pick<Generated, 'text' | 'ordered' | 'choice'> {
  const { tape } = making;
  const order = query.columns.map((_column, index) => `${index + 1}${tape.pick(['', ' desc'])}`).join(', ');
  switch (tape.below(8)) {
    case 5:
      shape(making, 'ordered');
      return { text: `${text} order by ${order}`, ordered: true };
    case 6: {
      const [count, offset] = [1 + tape.below(4), tape.below(3)];
      shape(making, 'ordered limit');
      return { text: `${text} order by ${order} limit ${count} offset ${offset}`, ordered: true };
    }
    case 7: {
      const [count, offset] = [1 + tape.below(4), tape.pick([0, 0, 1])];
      shape(making, 'limit of choice');
      const limited = `${text} limit ${count}${offset === 0 ? '' : ` offset ${offset}`}`;
      return { text: limited, ordered: false, choice: { text, count, offset } };
    }
    default:
      return { text, ordered: false };
  }
}

/** What stores or declares a query has WITH behind its own words. */
function withBefore(withClause: string, text: string): string {
  const own = /^(create temp table made as|declare reader cursor for) /.exec(text)?.[0] ?? '';
  return `${own}${withClause}${text.slice(own.length)}`;
}
