import { createHash } from 'node:crypto';
import { FIRST_COLUMNS } from '../hunt.ts';
import type { ResultField, ResultRow } from '../text-query.ts';

/**
 * What tells a row: one event may be a row of several actions or resources, and a finding that is seen again keeps its
 * id while its count grows.
 */
const TELLING = ['event_id', 'action', 'resource', 'account_id', 'region', 'count'];
/** Where a row has no id: all that it says at first sight, but for what describes it further. */
const OTHERWISE = FIRST_COLUMNS.filter((name) => name !== 'console_url' && name !== 'detail');

/** A digest by which a row is the same in every run of its hunt. */
export function rowKeys(fields: readonly ResultField[]): (row: ResultRow) => string {
  const places = (names: readonly string[]) => names.map((name) => fields.findIndex((field) => field.name === name));
  const eventId = fields.findIndex((field) => field.name === 'event_id');
  const telling = places(TELLING);
  const otherwise = places(OTHERWISE);
  return (row) => {
    const values = ((row[eventId] ?? null) === null ? otherwise : telling).map((place) => row[place] ?? null);
    // 132 bits are more than enough to tell rows apart, and a third less to keep.
    return createHash('sha256').update(JSON.stringify(values)).digest('base64url').slice(0, 22);
  };
}
