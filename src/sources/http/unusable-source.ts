import { SourceError, type Source } from '../source.ts';

type Reason = 'no connection' | 'no URL';

/** Of a table whose definition cannot be used here, as when the configuration has lost its connection: it fails, and is not empty. */
export function unusableSource(kind: Source['kind'], table: string, connection: string, reason: Reason): Source {
  const limit = { key: `http:${connection}`, concurrency: 1, connection };
  const fail = () => failure(table, connection, reason);
  const close = () => Promise.resolve();
  if (kind === 'lookup')
    return { kind, limit, answerLocally: () => undefined, lookup: () => Promise.reject(fail()), close };
  return {
    kind,
    plan: ({ predicates }) => ({
      pushed: predicates.map((predicate) => ({ predicate, exactness: 'none' })),
      empty: false,
      parts: [],
      notices: [],
    }),
    // eslint-disable-next-line require-yield -- there is no page
    scan: async function* scan() {
      throw fail();
    },
    close,
  };
}

function failure(table: string, connection: string, reason: Reason): SourceError {
  switch (reason) {
    case 'no connection':
      return new SourceError(
        'unreachable',
        connection,
        `there is no connection ${connection} of kind http for ${table}`,
        {
          hint: 'Add it to connections in the configuration, or drop the table by trailhound.drop_lookup().',
        },
      );
    case 'no URL':
      return new SourceError('unreachable', connection, `the definition of ${table} cannot be used`, {
        hint: 'Drop the table by trailhound.drop_lookup(), and make it anew.',
      });
  }
}
