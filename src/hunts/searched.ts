import type { SqlClient } from './sql-client.ts';

/** Before a statement is run: what is asked later for what it has searched. */
export async function beforeSearch(client: SqlClient): Promise<string> {
  const [row] = await client.rows(
    `select coalesce(extract(epoch from max(started_at)), 0)::text from trailhound.scan where pid = pg_catalog.pg_backend_pid()`,
  );
  return row?.[0] ?? '0';
}

/**
 * What a statement without rows has searched, one text a scan of a virtual table, so that nothing found can be told from
 * nothing looked at.
 *
 * @param before of the same client
 */
export async function whatWasSearched(client: SqlClient, before: string): Promise<readonly string[]> {
  const rows = await client.rows(
    `select table_name, pg_catalog.array_to_string(searched, '; '), rows, calls + cache_hits,
       pg_catalog.to_char(newest at time zone 'UTC', case
         when (newest at time zone 'UTC')::date = (pg_catalog.now() at time zone 'UTC')::date then 'HH24:MI'
         else 'YYYY-MM-DD HH24:MI' end)
     from trailhound.scan
     where pid = pg_catalog.pg_backend_pid() and kind = 'scan' and extract(epoch from started_at) > $1::numeric
     order by started_at`,
    [before],
  );
  return rows.map(([table, where, count, asked, newest]) => {
    const place = where === null || where === '' ? undefined : where;
    // Files are read without a call.
    if (asked === '0' && place === undefined) return `nothing of ${table}`;
    const found = `${Number(count).toLocaleString('en-US')} ${nounOf(table ?? '')}`;
    return `${place ?? table}: ${found}${newest === null ? '' : `, newest ${newest}`}.`;
  });
}

/** What a row of it is: a table is named by one. */
function nounOf(table: string): string {
  const [, noun] = /_(event|finding|detector|trail)$/.exec(table) ?? [];
  return noun === undefined ? 'rows' : `${noun}s`;
}
