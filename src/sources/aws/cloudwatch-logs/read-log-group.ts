import type { CallContext, Page, RateLimit, SourceRecord } from '../../source.ts';
import { SourceError } from '../../source.ts';
import type { TimeRange } from '../../time-range.ts';
import type { Part } from '../../merge-parts.ts';
import type { FilterLogEventsRequest, FilteredLogEvent } from '../clients/logs.ts';
import { unintelligible } from '../errors.ts';
import { tellCost } from './cost.ts';
import { recordMaker } from './log-event-record.ts';
import { requestTimes } from './request-times.ts';
import { RawPage } from './raw-page.ts';
import type { PatternPart } from './request-patterns.ts';
import type { CompiledScan } from './scan-plan.ts';
import { shardsOf, type FirstPage } from './shards.ts';
import type { Target } from './targets.ts';

/** FilterLogEvents, limit. */
const MAX_EVENTS = 10_000;
const ACTION = 'logs:FilterLogEvents';
/** Requests of an account and region at once, of all statements: they are bounded by how many start in a second. */
const CONCURRENCY = 24;
/** "Each page returned can contain up to 1 MB of log events or up to 10,000 log events." */
const FULL_PAGE_BYTES = 700_000;

export interface LogGroupRead {
  readonly target: Target;
  readonly range: TimeRange;
  readonly filter: string | undefined;
  readonly pattern: PatternPart;
  readonly limit: number | undefined;
  /** Part of a larger range. */
  readonly isShard?: boolean;
}

/** A page of one log group that has come, parsed when it is asked for its records. */
export interface Delivered {
  readonly read: LogGroupRead;
  /** Throws SourceError. */
  pages(): Iterable<Page>;
}

/**
 * All events of one log group, in shards of time where they are many.
 *
 * @param isTooMuch where its first page says of how many it may be the first, and that they are to be left unread
 */
export function logGroupPart(
  read: LogGroupRead,
  scan: CompiledScan,
  isTooMuch: (first: FirstPage) => boolean = () => false,
): Part<Delivered> {
  return async function* part(context, divide) {
    const { target, limit, range } = read;
    const request = requestOf(read, scan);
    const page = await ask(target, request, context);
    const first = { span: page.span(), isFull: page.bytes >= FULL_PAGE_BYTES, isShard: read.isShard };
    if (page.nextToken !== undefined && isTooMuch(first)) return;
    const shards = page.nextToken === undefined || limit !== undefined ? undefined : shardsOf(range, first, Date.now());
    if (shards !== undefined) {
      divide(shards.map((shard) => logGroupPart({ ...read, range: shard, isShard: true }, scan)));
      if (read.isShard !== true && !scan.bounded) await tellCost(target, context);
      return;
    }
    yield* readOn(page, request, read, scan, context);
  };
}

/** The page and those after it. */
async function* readOn(
  first: RawPage,
  request: FilterLogEventsRequest,
  read: LogGroupRead,
  scan: CompiledScan,
  context: CallContext,
): AsyncGenerator<Delivered, void, undefined> {
  const { target, limit } = read;
  const isNew = recentEvents();
  let page = first;
  let missing = limit ?? Number.POSITIVE_INFINITY;
  for (;;) {
    const { nextToken } = page;
    const delivered = deliver(page, read, scan, isNew);
    if (limit === undefined) {
      yield delivered;
    } else {
      // What a limit makes needless must not be asked for: the records are counted first.
      const pages = [...delivered.pages()];
      yield { read, pages: () => pages };
      missing -= pages.reduce((sum, { records }) => sum + records.length, 0);
      if (missing <= 0) return;
    }
    if (nextToken === undefined) return;
    page = await ask(target, { ...request, nextToken }, context);
    if (page.nextToken === nextToken) throw stuck(target);
  }
}

function requestOf(
  { target, range, filter, pattern, limit }: LogGroupRead,
  scan: CompiledScan,
): FilterLogEventsRequest {
  const filterPattern = pattern.pattern(filter);
  return {
    logGroupName: target.logGroupName,
    logStreamNamePrefix: scan.logStreamNamePrefix,
    filterPattern,
    ...requestTimes(range),
    // What a pattern finds may be more than what satisfies it, so a page must not be cut to the limit then.
    ...(limit !== undefined && limit < MAX_EVENTS && { limit: filterPattern === undefined ? limit : undefined }),
  };
}

function deliver(
  page: RawPage,
  read: LogGroupRead,
  scan: CompiledScan,
  isNew: (event: FilteredLogEvent) => boolean,
): Delivered {
  const { target, filter, limit, pattern } = read;
  const recordOf = recordMaker(target, filter);
  const wanted = (event: FilteredLogEvent): SourceRecord[] => {
    if (!isNew(event)) return [];
    const record = recordOf(event);
    return pattern.owns(record.value) && (limit === undefined || scan.test(record.value)) ? [record] : [];
  };
  return {
    read,
    pages: function* pages() {
      let continued = false;
      for (const events of eventsOf(page, target)) {
        const newest = newestOf(events);
        yield { records: events.flatMap(wanted), bytes: continued ? 0 : page.bytes, continued, newest };
        continued = true;
      }
    },
  };
}

function newestOf(events: readonly FilteredLogEvent[]): number | undefined {
  let newest = Number.NEGATIVE_INFINITY;
  for (const { timestamp = newest } of events) if (timestamp > newest) newest = timestamp;
  return newest === Number.NEGATIVE_INFINITY ? undefined : newest;
}

function* eventsOf(
  page: RawPage,
  { connection, region }: Target,
): Generator<readonly FilteredLogEvent[], void, undefined> {
  try {
    yield* page.events();
  } catch (error) {
    throw unintelligible(
      { region, action: ACTION, connection: connection.name, credentials: connection.credentialsDescription },
      error,
    );
  }
}

async function ask(target: Target, request: FilterLogEventsRequest, context: CallContext): Promise<RawPage> {
  const { connection, region, accountId, logGroupName } = target;
  const limit: RateLimit = {
    key: `logs:FilterLogEvents:${accountId ?? connection.name}:${region}`,
    concurrency: CONCURRENCY,
    requestsPerSecond: connection.requestsPerSecond,
  };
  const call = { region, action: ACTION, subject: `log group ${logGroupName}` };
  return connection.call(
    context,
    limit,
    call,
    async (signal) => new RawPage(await connection.logs(region).filterLogEvents(request, signal)),
  );
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
