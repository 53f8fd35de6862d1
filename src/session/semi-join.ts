import { LOOPBACK_ROLE } from '../engine/loopback.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import type { ResponseFields } from '../wire/backend/response-fields.ts';
import type { ReplyFilter } from './expected.ts';
import { mapResponses } from './filters.ts';

/**
 * Below LIMIT postgres_fdw (18.4) writes a semi-join whose comparison it does not ship outside of EXISTS, where nobody knows
 * the other table. PostgreSQL has chosen its plan by then: all that is left is to say what would give another one.
 */
export function semiJoinFilter(user: string): ReplyFilter | undefined {
  return user === LOOPBACK_ROLE ? mapResponses(semiJoinRefused) : undefined;
}

function semiJoinRefused(fields: ResponseFields): ResponseFields {
  const isSemiJoin =
    fields.get('C') === '42P01' && /^missing FROM-clause entry for table "r\d+"$/.test(fields.get('M') ?? '');
  if (!isSemiJoin) return fields;
  return new Map([
    ...fields,
    ['C', REFUSED.sqlstate],
    ['M', REFUSED.message],
    ['D', REFUSED.detail ?? ''],
    ['H', REFUSED.hint ?? ''],
  ]);
}

const REFUSED = new TrailhoundError('not_supported', 'postgres_fdw cannot write down a semi-join that ends early', {
  detail:
    'Below a view or in a function, LIMIT stands over an IN or EXISTS with a comparison that postgres_fdw does not ship.',
  hint: 'Take LIMIT out of the view or function, and write it in the statement.',
});
