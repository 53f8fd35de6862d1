import { createHash } from 'node:crypto';
import type { Parameters } from '../run-hunt.ts';
import type { SqlClient } from '../sql-client.ts';

/** One hunt with its parameters, told to one destination; or printed, beside these destinations. */
export interface Watch {
  /** A digest: a destination's URL is a secret, and it cannot be read back from it. */
  readonly id: string;
  readonly hunt: string;
}

/** `since` and `until` say how far a run looks, not what is new. */
export function watchOf(hunt: string, parameters: Parameters, destinations: readonly string[]): Watch {
  const own = Object.entries(parameters)
    .filter(([name]) => name !== 'since' && name !== 'until')
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify([hunt, own, [...destinations].sort()]);
  return { id: createHash('sha256').update(text).digest('base64url'), hunt };
}

export interface Recalled {
  readonly keys: ReadonlySet<string>;
  /** The SQLSTATE with which the last run failed. */
  readonly failure: string | undefined;
  readonly failingSince: string | undefined;
}

/** Rows that no run found for as long are forgotten. */
const KEPT = '7 days';
/** So are those of a watch that nobody runs for as long. The watch stays: from its last run the next one looks back. */
const KEPT_OF_IDLE = '30 days';

/** What was told before. */
export async function recall(client: SqlClient, { id, hunt }: Watch): Promise<Recalled> {
  await client.rows(
    `delete from trailhound.hunt_row where watch in (
       select watch from trailhound.hunt_watch where run_at < now() - interval '${KEPT_OF_IDLE}' and watch <> $1
     )`,
    [id],
  );
  await client.rows(
    `insert into trailhound.hunt_watch (watch, hunt) values ($1, $2)
     on conflict (watch) do update set run_at = now()`,
    [id, hunt],
  );
  const [row] = await client.rows('select failure, failing_since from trailhound.hunt_watch where watch = $1', [id]);
  const keys = await client.rows('select key from trailhound.hunt_row where watch = $1', [id]);
  return {
    keys: new Set(keys.map(([key]) => key ?? '')),
    failure: row?.[0] ?? undefined,
    failingSince: row?.[1] ?? undefined,
  };
}

/**
 * How far back a run has to look, so that what comes late is found as well, and nothing is lost of the time in which none
 * ran: an interval before the last one whose rows were told, `first` before the first one where none ever were. Of
 * several watches, as far as one of them needs.
 */
export async function sinceLast(
  client: SqlClient,
  watches: readonly Watch[],
  { first, later }: { readonly first: string; readonly later: string },
): Promise<string> {
  const [row] = await client.rows(
    `select max(case when searched_at is null then $2::interval + (now() - begun_at)
       else $3::interval + (now() - searched_at) end)::text
     from trailhound.hunt_watch where watch in (select pg_catalog.jsonb_array_elements_text($1::jsonb))`,
    [JSON.stringify(watches.map(({ id }) => id)), first, later],
  );
  return row?.[0] ?? first;
}

/** PostgreSQL's clock, from which the next run counts. */
export async function currentTime(client: SqlClient): Promise<string> {
  const [row] = await client.rows('select now()::text');
  return row?.[0] ?? '';
}

/** All rows with these keys have been told, by a run that began at `searchedAt`. One statement: all of it or nothing. */
export async function remember(
  client: SqlClient,
  { id }: Watch,
  keys: Iterable<string>,
  searchedAt: string,
): Promise<void> {
  await client.rows(
    `with found as (select pg_catalog.jsonb_array_elements_text($2::jsonb) as key),
     told as (
       insert into trailhound.hunt_row as known (watch, key, found_at) select $1, key, now() from found
       on conflict (watch, key) do update set found_at = excluded.found_at
       where known.found_at < now() - interval '1 hour'
     ),
     forgotten as (
       delete from trailhound.hunt_row
       where watch = $1 and found_at < now() - interval '${KEPT}' and key not in (select key from found)
     )
     update trailhound.hunt_watch set searched_at = $3::timestamptz, failure = null, failing_since = null
     where watch = $1`,
    [id, JSON.stringify([...keys]), searchedAt],
  );
}

/** The run failed, and that was told. */
export async function rememberFailure(client: SqlClient, { id }: Watch, sqlstate: string): Promise<void> {
  await client.rows(
    `update trailhound.hunt_watch set failure = $2, failing_since = coalesce(failing_since, now()) where watch = $1`,
    [id, sqlstate],
  );
}
