import { abortable } from '../kernel/abort.ts';
import type { LookupKey, LookupSource, SourceRecord } from '../sources/source.ts';
import { type AskedKey, askedKey } from './asked-key.ts';
import { claimKeys, claimQuota } from './claim-keys.ts';
import type { Fetch } from './fetch.ts';
import type { LookupRequest } from './hydrator.ts';
import { LookupCalls } from './lookup-calls.ts';
import type { LookupParts } from './lookup-parts.ts';
import type { QuotaClaim } from './quota-ledger.ts';

/**
 * Answers every key: by what the source knows without a call, the key cache, a call that is on its way for somebody
 * else, or a call of its own, in this order. Rows come in the order of the keys.
 */
export async function fillLookup(
  source: LookupSource,
  request: LookupRequest,
  fetch: Fetch,
  parts: LookupParts,
): Promise<void> {
  const keyName = request.table.columns.find((column) => column.key === 'required')?.name ?? 'key';
  fetch.pushed = [`${keyName}: ${request.keys.length} values of ${request.keyExpression}`];
  const variant = source.variant?.(request.columns);
  const local = new Map<LookupKey, readonly SourceRecord[]>();
  const asked: AskedKey[] = [];
  for (const key of request.keys) {
    const records = source.answerLocally(key);
    if (records !== undefined) local.set(key, records);
    else asked.push(askedKey(request.table.name, key, variant));
  }
  let quota: QuotaClaim | undefined;
  const leave = () => {
    quota?.release();
    for (const one of asked) one.ticket?.leave();
  };
  // At once, not a few turns later: nothing may start after an abort.
  fetch.signal.addEventListener('abort', leave, { once: true });
  try {
    await claimKeys(asked, request, fetch, parts);
    quota = await claimQuota(source, asked, request, fetch, parts);
    const calls = new LookupCalls(source, request, fetch, parts, asked, quota);
    const write = async () => {
      let next = 0;
      for (const key of request.keys) {
        const records = local.get(key);
        if (records !== undefined) {
          await fetch.add(records.map((record) => echo(record, keyName, key, undefined)));
          continue;
        }
        const one = asked[next++] as AskedKey;
        const answer = one.answer ?? (await calls.answerOf(one));
        if (answer === undefined) continue;
        parts.spent.answers.set(one.id, answer);
        await fetch.add(answer.records.map((record) => echo(record, keyName, key, answer.fetchedAt)));
      }
    };
    await Promise.all([calls.work(), write()]);
    if (calls.started > 0) await abortable(parts.cache.flush(), fetch.signal);
    calls.reportMissing();
  } finally {
    fetch.signal.removeEventListener('abort', leave);
    leave();
  }
}

/** Paths `@key`, `@<key column>` and `@<input>` echo what was asked, whatever the service calls it. */
function echo(record: SourceRecord, keyName: string, key: LookupKey, fetchedAt: number | undefined): SourceRecord {
  const fetched = fetchedAt === undefined ? undefined : { fetched_at: fetchedAt };
  return { ...record, added: { ...fetched, ...record.added, key: key.key, [keyName]: key.key, ...key.inputs } };
}
