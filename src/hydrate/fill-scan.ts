import { untilAborted } from '../kernel/abort.ts';
import type { ScanRequest, ScanSource } from '../sources/source.ts';
import type { CallScheduler } from './call-scheduler.ts';
import type { Fetch } from './fetch.ts';

/** Reads a scan's pages into the fetch, one after the other. */
export async function fillScan(
  source: ScanSource,
  request: ScanRequest,
  fetch: Fetch,
  scheduler: CallScheduler,
): Promise<void> {
  const { statement, signal, tally } = fetch;
  const { name } = request.table;
  if (statement.settings.sources !== 'live') {
    statement.notice(
      'NOTICE',
      statement.settings.sources === 'off'
        ? `${name} was not read: trailhound.sources is off`
        : `nothing of ${name} is cached, and trailhound.sources is cache: it was not read`,
    );
    return;
  }
  const plan = source.plan(request);
  fetch.pushed = plan.pushed.flatMap(({ predicate: { column, operator, values }, exactness, as }) =>
    exactness === 'none' ? [] : [as ?? `${column.name} ${operator} ${values.join(', ')}`.trimEnd()],
  );
  for (const notice of plan.notices) statement.notice('NOTICE', notice);
  if (plan.empty || request.limit === 0) return;
  const context = scheduler.context({
    source: request.table.source,
    signal,
    tally,
    partial: statement.settings.partial,
    notice: (severity, message) => statement.notice(severity, message),
  });
  for await (const { records, bytes, unfinished } of untilAborted(source.scan(request, context), signal)) {
    if (unfinished !== true) tally.pages += 1;
    tally.bytes += bytes;
    const wanted = request.limit === undefined ? records.length : request.limit - fetch.rows;
    await fetch.add(wanted < records.length ? records.slice(0, wanted) : records);
    fetch.progress(() => ({ table: name, rows: fetch.rows, callsDone: tally.calls, callsKnown: undefined }));
    if (request.limit !== undefined && fetch.rows >= request.limit) return;
  }
}
