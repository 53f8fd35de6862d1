import { condition } from './conditions.ts';
import { render } from './joins.ts';
import { finished, levelOf, whereClause } from './levels.ts';
import type { Item, Making, Piece, Scalar } from './model.ts';
import { piece, shape } from './model.ts';
import { queryOf } from './queries.ts';

/** A statement that changes rows, and what to read afterwards. */
export interface Change extends Piece {
  readonly after: string;
}

const SCRATCH: Item = {
  ...piece('scratch s'),
  alias: 's',
  columns: [
    { name: 'ip', type: 'inet' },
    { name: 'word', type: 'text' },
    { name: 'n', type: 'int' },
    { name: 'flag', type: 'bool' },
  ],
};
const TYPES: readonly Scalar[] = ['inet', 'text', 'int', 'bool'];

export function changeOf(making: Making): Change {
  const { tape } = making;
  const kind = tape.pick(['insert', 'create table as', 'cursor', 'update', 'delete', 'merge'] as const);
  shape(making, kind);
  switch (kind) {
    case 'insert': {
      const query = queryOf(making, [], 0, { wanted: TYPES, unlimited: true });
      return { ...query, text: `insert into scratch ${query.text} returning *`, after: 'table scratch' };
    }
    case 'create table as': {
      const query = queryOf(making, [], 0, { unlimited: true });
      return { ...query, text: `create temp table made as ${query.text}`, after: 'table made' };
    }
    case 'cursor': {
      const query = queryOf(making, [], 0, { unlimited: true });
      return { ...query, text: `declare reader cursor for ${query.text}`, after: 'fetch all from reader' };
    }
    case 'update':
    case 'delete': {
      // Which of several rows changes a row nobody can say: all of them change it alike.
      const level = levelOf(making, [SCRATCH], 1, 1);
      const from = level.from.map((tree) => render(tree)).join(', ');
      const head =
        kind === 'update' ? `update scratch s set n = s.n + 1, flag = true from` : 'delete from scratch s using';
      const done = finished(level, []);
      return {
        text: `${head} ${from}${whereClause(level)} returning s.*`,
        ...done,
        keys: done.keys.map((each) => around(each, making)),
        after: 'table scratch',
      };
    }
    case 'merge': {
      const query = queryOf(making, [], 1, { wanted: TYPES, unlimited: true });
      const more = condition(making, { items: [SCRATCH], outer: [] }, 2, true);
      const matched = tape.pick(['update set n = s.n + 1', 'delete', 'do nothing']);
      return {
        ...query,
        text: `merge into scratch s using (select distinct on (1) * from (${query.text}) _(ip, word, n, flag) order by 1, 2, 3, 4) q on s.ip = q.ip when matched and ${more.text} then ${matched} when not matched then insert values (q.ip, q.word, q.n, q.flag) returning s.*`,
        keys: [...query.keys, ...more.keys.map((each) => ({ ...each, query: undefined }))],
        after: 'table scratch',
      };
    }
  }
}

/** The rows that change stand around what is read for them. */
function around(keys: Change['keys'][number], making: Making): Change['keys'][number] {
  if (keys.query === undefined || ![...keys.uses].some((item) => item === SCRATCH)) return keys;
  shape(making, 'keys of changed rows');
  return { ...keys, query: `select distinct k from scratch s, lateral (${keys.query}) as _(k)`, uses: new Set() };
}
