import { TrailhoundError } from '../../kernel/errors.ts';
import { claim, endWhenIdleInTransaction } from '../claim.ts';
import type { Hunt } from '../hunt.ts';
import { checkValues, runHunt, type Known, type Parameters } from '../run-hunt.ts';
import type { SqlClient } from '../sql-client.ts';
import { isStatementFailure, type StatementFailure } from '../statement-failure.ts';
import { markOld, ResultTable, tableName } from './result-table.ts';

export interface Refresh {
  readonly hunt: Hunt;
  /** Of its table in schema `hunt`. */
  readonly name: string;
  readonly parameters: Parameters;
  readonly known: Known;
  readonly overridden: boolean;
  /** A connection for one run; two are needed. */
  readonly connect: () => Promise<SqlClient>;
  /** Ends it: what runs is cancelled, and the table stays as it was. */
  readonly signal: AbortSignal;
}

export type RefreshOutcome =
  | { readonly kind: 'refreshed'; readonly rows: number }
  /** Its rows are those of an earlier run, and marked so. */
  | { readonly kind: 'failed'; readonly failure: StatementFailure }
  /** Another process refreshes the same table at this moment. */
  | { readonly kind: 'claimed' };

/** `cloudtrail/console-sign-ins` as `cloudtrail_console_sign_ins`. */
export function nameOf(hunt: Hunt): string {
  return hunt.id.replaceAll(/[^a-z0-9]+/g, '_');
}

/** @throws TrailhoundError `configuration` */
export function checkName(name: string): void {
  if (/^[a-z_][a-z0-9_]{0,62}$/.test(name)) return;
  throw new TrailhoundError('configuration', `"${name}" cannot be the table's name`, {
    hint: 'Use --as with lower-case letters, digits and underscores, 63 at most.',
  });
}

/**
 * Runs a hunt once and replaces the rows of its table with the result, in one transaction.
 *
 * @throws what ended a connection; the signal's reason; `configuration` errors.
 */
export async function refreshHunt(refresh: Refresh): Promise<RefreshOutcome> {
  const { connect, signal } = refresh;
  const clients: SqlClient[] = [];
  const cancel = () => {
    for (const client of clients) void client.cancel().catch(() => undefined);
  };
  signal.addEventListener('abort', cancel, { once: true });
  try {
    for (let count = 0; count < 2; count += 1) clients.push(await connect());
    signal.throwIfAborted();
    const [reader, writer] = clients as [SqlClient, SqlClient];
    return await run(reader, writer, refresh);
  } finally {
    signal.removeEventListener('abort', cancel);
    for (const client of clients) await client.close();
  }
}

async function run(reader: SqlClient, writer: SqlClient, refresh: Refresh): Promise<RefreshOutcome> {
  const { hunt, name, parameters, signal } = refresh;
  await checkValues(reader, hunt, parameters);
  // Until this round's connection ends.
  if (!(await claim(reader, `hunt_refresh ${name}`))) return { kind: 'claimed' };
  await endWhenIdleInTransaction(writer);
  const begunAt = await register(writer, refresh);
  const block = { begun: false };
  try {
    const rows = await replaceRows(reader, writer, refresh, begunAt, block);
    return { kind: 'refreshed', rows };
  } catch (error) {
    // What is fatal ended a connection: of the hunt it says nothing.
    if (signal.aborted || !isStatementFailure(error) || error.severity !== 'ERROR') throw error;
    // Most fail before their first row: outside of a block PostgreSQL would warn.
    if (block.begun) await writer.rows('rollback');
    await markOld(writer, name, hunt, `${error.code}: ${error.message}`);
    return { kind: 'failed', failure: error };
  }
}

async function replaceRows(
  reader: SqlClient,
  writer: SqlClient,
  { hunt, name, parameters, known, overridden, signal }: Refresh,
  begunAt: string,
  block: { begun: boolean },
): Promise<number> {
  let table: ResultTable | undefined;
  for await (const event of runHunt(reader, hunt, parameters, { known, overridden })) {
    signal.throwIfAborted();
    if (event.kind === 'fields') {
      if (table !== undefined)
        throw new TrailhoundError('configuration', `${hunt.id} has more than one result`, {
          hint: 'Make it one statement: its rows are to be one table.',
        });
      block.begun = true;
      table = await ResultTable.begin(writer, name, event.fields, begunAt);
    } else if (event.kind === 'rows') {
      await table?.add(event.rows);
    }
  }
  signal.throwIfAborted();
  if (table === undefined)
    throw new TrailhoundError('configuration', `${hunt.id} has no result`, { hint: 'Let it end in a SELECT.' });
  await table.commit(hunt);
  return table.rows;
}

/** Returns when this run begins, by PostgreSQL's clock. */
async function register(client: SqlClient, { hunt, name, parameters }: Refresh): Promise<string> {
  const [known] = await client.rows(
    `select r.hunt, pg_catalog.to_regclass($2)::text
     from (select $1::pg_catalog.text as name) asked left join trailhound.hunt_refresh r using (name)`,
    [name, tableName(name)],
  );
  const [other, existing] = known ?? [];
  if (other === null && existing !== null) {
    throw new TrailhoundError('configuration', `table ${tableName(name)} holds something else than a hunt's result`, {
      hint: 'Choose another name by --as.',
    });
  }
  if (other !== null && other !== hunt.id) {
    throw new TrailhoundError('configuration', `table ${tableName(name)} holds the rows of ${other}`, {
      hint: `Choose another name by --as, or drop it: drop table if exists ${tableName(name)}; delete from trailhound.hunt_refresh where name = '${name}'.`,
    });
  }
  const [row] = await client.rows(
    `insert into trailhound.hunt_refresh (name, hunt, parameters) values ($1, $2, $3)
     on conflict (name) do update set parameters = excluded.parameters, run_at = now()
     returning run_at::text`,
    [name, hunt.id, JSON.stringify(parameters)],
  );
  return row?.[0] ?? '';
}
