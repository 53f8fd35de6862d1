import type { CallContext, Page, RateLimit, SourceRecord } from '../../source.ts';
import { SourceError } from '../../source.ts';
import type { TimeRange } from '../../time-range.ts';
import type { FilterLogEventsAnswer, FilterLogEventsRequest, FilteredLogEvent } from '../clients/logs.ts';
import { recordMaker } from './log-event-record.ts';
import { requestTimes } from './request-times.ts';
import type { PatternPart } from './request-patterns.ts';
import type { CompiledScan } from './scan-plan.ts';
import type { Target } from './targets.ts';

/** FilterLogEvents, limit. */
const MAX_EVENTS = 10_000;
/** Requests of one statement run one after the other in each log group; several log groups share an account's limit. */
const CONCURRENCY = 5;
/** A page's events all parsed at once are some 40 MB, most of which would outlive V8's young generation. */
const RECORDS_AT_ONCE = 500;

export interface LogGroupRead {
  readonly target: Target;
  readonly range: TimeRange;
  readonly filter: string | undefined;
  readonly pattern: PatternPart;
  readonly limit: number | undefined;
}

/** All events of one log group, page by page until there is no token: a page may well be empty. */
export async function* readLogGroup(
  read: LogGroupRead,
  scan: CompiledScan,
  context: CallContext,
): AsyncGenerator<Page, void, undefined> {
  const { target, limit } = read;
  const filterPattern = read.pattern.pattern(read.filter);
  const recordOf = recordMaker(target, read.filter);
  const request: FilterLogEventsRequest = {
    logGroupName: target.logGroupName,
    logStreamNamePrefix: scan.logStreamNamePrefix,
    filterPattern,
    ...requestTimes(read.range),
    // What a pattern finds may be more than what satisfies it, so a page must not be cut to the limit then.
    ...(limit !== undefined && limit < MAX_EVENTS && { limit: filterPattern === undefined ? limit : undefined }),
  };
  const isNew = recentEvents();
  const wanted = (event: FilteredLogEvent): SourceRecord[] => {
    if (!isNew(event)) return [];
    const record = recordOf(event);
    return read.pattern.owns(record.value) && (limit === undefined || scan.test(record.value)) ? [record] : [];
  };
  let answering = ask(target, request, context);
  let token: string | undefined;
  for (;;) {
    const { events, bytes, nextToken } = await answering;
    if (nextToken !== undefined && nextToken === token) throw stuck(target);
    token = nextToken;
    const askOn = () => ask(target, { ...request, nextToken }, context);
    // The next page is on its way while this one is read, but where a limit may make it needless.
    const ahead = nextToken === undefined || limit !== undefined ? undefined : askOn();
    ahead?.catch(() => undefined);
    for (let from = 0, unfinished = true; unfinished; from += RECORDS_AT_ONCE) {
      const to = from + RECORDS_AT_ONCE;
      unfinished = to < events.length;
      yield { records: events.slice(from, to).flatMap(wanted), bytes: unfinished ? 0 : bytes, unfinished };
    }
    if (nextToken === undefined) return;
    answering = ahead ?? askOn();
  }
}

async function ask(
  target: Target,
  request: FilterLogEventsRequest,
  context: CallContext,
): Promise<FilterLogEventsAnswer> {
  const { connection, region, accountId, logGroupName } = target;
  const limit: RateLimit = {
    key: `logs:FilterLogEvents:${accountId ?? connection.name}:${region}`,
    concurrency: CONCURRENCY,
    requestsPerSecond: connection.requestsPerSecond,
  };
  const call = { region, action: 'logs:FilterLogEvents', subject: `log group ${logGroupName}` };
  return connection.call(context, limit, call, (signal) => connection.logs(region).filterLogEvents(request, signal));
}

/**
 * An event may be repeated where one page ends and the next begins: the last thousand ids tell. Many more would outlive
 * the young generation, of which V8 collects what is garbage only when the process has grown by some 150 MB.
 */
const REMEMBERED_IDS = 1_000;

function recentEvents(): (event: FilteredLogEvent) => boolean {
  let recent = new Set<string>();
  let older = new Set<string>();
  return ({ eventId }) => {
    if (eventId === undefined) return true;
    if (recent.has(eventId) || older.has(eventId)) return false;
    recent.add(eventId);
    if (recent.size >= REMEMBERED_IDS) {
      older = recent;
      recent = new Set();
    }
    return true;
  };
}

function stuck({ connection, logGroupName, region }: Target): SourceError {
  return new SourceError(
    'nonsense',
    connection.name,
    `log group ${logGroupName} in ${region} answers the same page token again and again`,
    {
      detail: `Connection ${connection.name} tried logs:FilterLogEvents in ${region}.`,
      hint: 'Run the statement again.',
    },
  );
}
