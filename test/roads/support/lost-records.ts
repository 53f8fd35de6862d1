import { expect } from 'vitest';
import type { Client } from '../../../src/engine/client.ts';
import { matchesRecord } from '../../../src/simulator/logs/filter-pattern/evaluate.ts';
import { parseFilterPattern } from '../../../src/simulator/logs/filter-pattern/parse.ts';
import type { TrailRecord } from './records.ts';

/** What log groups are asked for by conditions, held against what PostgreSQL says of every record. */

const EXPLAINED_AT_ONCE = 25;
const EVALUATED_AT_ONCE = 250;
/** When an event reaches the log group, after it happened. */
const DELIVERY_MS = 600_000;

/** What a condition becomes: requests, any of which may give a record. */
interface Request {
  readonly start: number;
  readonly end: number;
  readonly matches: (record: object) => boolean;
}

interface Explained {
  readonly fetches: string;
  readonly parts: readonly string[];
}

/**
 * Every record that satisfies a condition is among what the condition asks for.
 *
 * @param records those that {@link storeRecords} has stored
 * @returns the conditions of which something is told to the service
 */
export async function expectNoneLost(
  client: Client,
  records: readonly TrailRecord[],
  predicates: readonly string[],
): Promise<readonly string[]> {
  const told: string[] = [];
  for (let from = 0; from < predicates.length; from += EVALUATED_AT_ONCE) {
    const some = predicates.slice(from, from + EVALUATED_AT_ONCE);
    const truths = await evaluate(client, some);
    for (let first = 0; first < some.length; first += EXPLAINED_AT_ONCE) {
      const asked = some.slice(first, first + EXPLAINED_AT_ONCE);
      const explained = await explain(client, asked);
      asked.forEach((condition, index) => {
        const { fetches = '', parts = [] } = explained[index] ?? {};
        const requests = fetches === 'nothing' ? [] : parts.map(requestOf);
        if (fetches === 'nothing' || parts.some((part) => part.includes('filterPattern='))) told.push(condition);
        const lost = records.flatMap((record, number) => {
          const wanted = truths[number]?.charAt(first + index) === '1';
          return wanted && !isGiven(record, requests) ? [{ condition, parts, record }] : [];
        });
        expect(lost.slice(0, 1)).toEqual([]);
      });
    }
  }
  return told;
}

function isGiven(record: TrailRecord, requests: readonly Request[]): boolean {
  const time = Date.parse(record.eventTime ?? '') + DELIVERY_MS;
  return requests.some(
    ({ start, end, matches }) => (Number.isNaN(time) || (start <= time && time <= end)) && matches(record),
  );
}

function requestOf(part: string): Request {
  const [, pattern] = /filterPattern=(.*)$/s.exec(part) ?? [];
  const times = pattern === undefined ? part : part.slice(0, -pattern.length);
  const time = (name: string) => Date.parse(new RegExp(`${name}=([^,]+)`).exec(times)?.[1] ?? '');
  const parsed = pattern === undefined ? undefined : parseFilterPattern(pattern);
  const [start, end] = [time('startTime'), time('endTime')];
  return {
    start: Number.isNaN(start) ? Number.NEGATIVE_INFINITY : start,
    end: Number.isNaN(end) ? Number.POSITIVE_INFINITY : end,
    matches: (record) => parsed === undefined || matchesRecord(parsed, record),
  };
}

async function explain(client: Client, predicates: readonly string[]): Promise<readonly Explained[]> {
  const branches = predicates.map((predicate) => `select event_id from cloudtrail_trail_event where ${predicate}`);
  const { rows } = await client.query<{ 'QUERY PLAN': readonly { readonly Trailhound: readonly Explained[] }[] }>(
    `explain (format json) ${branches.join('\nunion all\n')}`,
  );
  const explained = rows[0]?.['QUERY PLAN'][0]?.Trailhound ?? [];
  expect(explained).toHaveLength(predicates.length);
  return explained;
}

/** For each record, in order, a digit for each condition. */
async function evaluate(client: Client, predicates: readonly string[]): Promise<readonly string[]> {
  const digits = predicates.map((predicate) => `case when ${predicate} then '1' else '0' end`);
  const { rows } = await client.query<{ readonly truths: string }>(
    `select array_to_string(array[${digits.join(', ')}], '') as truths from real_record order by number`,
  );
  return rows.map(({ truths }) => truths);
}

/** The records' columns as their comments say them, computed by PostgreSQL alone. */
export async function storeRecords(client: Client, records: readonly TrailRecord[]): Promise<void> {
  const { rows } = await client.query<{ name: string; type: string; path: string | null }>(
    `select a.attname as name, format_type(a.atttypid, null) as type,
       (select option_value from pg_options_to_table(a.attfdwoptions) where option_name = 'path') as path
     from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'source' and c.relname = 'cloudtrail_trail_event' and a.attnum > 0 and not a.attisdropped
     order by a.attnum`,
  );
  const values = rows.flatMap(({ name, type, path }) => {
    if (name === 'source_ip') return [`pg_catalog.try_inet(record ->> 'sourceIPAddress') as source_ip`];
    if (path === '@record') return [`record as ${name}`];
    if (path === null || path.startsWith('@')) return [];
    const place = `'{${path.replaceAll('.', ',')}}'`;
    const text = `record #>> ${place}`;
    // Of a record whose time cannot be read no statement could say anything.
    const value = `case when pg_input_is_valid(${text}, '${type}') then (${text})::${type} end`;
    return [`${type === 'jsonb' ? `record #> ${place}` : value} as ${name}`];
  });
  await client.query(
    `create temp table real_record as select number, ${values.join(', ')}
     from pg_catalog.jsonb_array_elements($1) with ordinality as e(record, number)`,
    [JSON.stringify(records)],
  );
}

/** What PostgreSQL's jsonb refuses. */
export function storable(json: string): string {
  return json.replaceAll('\\u0000', '\\ufffd');
}
