import type { CallContext, Page, RateLimit, SourceRecord } from '../../source.ts';
import { SourceError } from '../../source.ts';
import type { TimeRange } from '../../time-range.ts';
import type { Part } from '../../merge-parts.ts';
import type { FilterLogEventsRequest, FilteredLogEvent } from '../clients/logs.ts';
import { unintelligible } from '../errors.ts';
import { tellCost } from './cost.ts';
import { EventsOnce } from './events-once.ts';
import { recordMaker } from './log-event-record.ts';
import { requestTimes } from './request-times.ts';
import { RawPage } from './raw-page.ts';
import type { PatternPart } from './request-patterns.ts';
import type { CompiledScan } from './scan-plan.ts';
import { type PartKind, type SoFar, LATE_PAGES, divisionOf } from './shards.ts';
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
  /** By default a whole range. */
  readonly kind?: PartKind;
  /** Ids of those of its events that came before it was read in this way. */
  readonly delivered?: ReadonlySet<string> | undefined;
}

/** A page of one log group that has come, parsed when it is asked for its records. */
export interface Delivered {
  readonly read: LogGroupRead;
  /** Throws SourceError. */
  pages(): Iterable<Page>;
}

/** A range that may be left unread, and what of it has come before that is known. */
export interface TooMuch {
  readonly soFar: SoFar;
  /** Ids. */
  readonly delivered: ReadonlySet<string>;
}

/**
 * All events of one log group, in shards of time where they are many.
 *
 * @param isTooMuch where its pages say how many there are, and that the others are to be left unread
 */
export function logGroupPart(
  read: LogGroupRead,
  scan: CompiledScan,
  isTooMuch: (so: TooMuch) => boolean = () => false,
): Part<Delivered> {
  return async function* part(context, divide) {
    const { target, limit, range, kind = 'whole' } = read;
    const request = requestOf(read, scan);
    const events = new EventsOnce(read.delivered);
    let soFar: SoFar = { pages: 0, span: undefined, pageMs: undefined };
    let nextToken: string | undefined;
    let missing = limit ?? Number.POSITIVE_INFINITY;
    do {
      const page = await ask(target, { ...request, nextToken }, context);
      if (page.nextToken !== undefined && page.nextToken === nextToken) throw stuck(target);
      nextToken = page.nextToken;
      soFar = withPage(soFar, page);
      const { delivered } = events;
      if (nextToken !== undefined && delivered !== undefined) {
        if (isTooMuch({ soFar, delivered })) return;
        const parts = limit === undefined ? divisionOf(range, soFar, kind, Date.now()) : undefined;
        if (parts !== undefined) {
          divide(parts.map((each) => logGroupPart({ ...read, ...each, delivered }, scan)));
          if (kind === 'whole' && !scan.bounded) await tellCost(target, context);
          return;
        }
      }
      if (soFar.pages === LATE_PAGES) events.forget();
      const own = deliver(page, read, scan, events);
      if (limit === undefined) {
        yield own;
        continue;
      }
      // What a limit makes needless must not be asked for: the records are counted first.
      const pages = [...own.pages()];
      yield { read, pages: () => pages };
      missing -= pages.reduce((sum, { records }) => sum + records.length, 0);
    } while (nextToken !== undefined && missing > 0);
  };
}

function withPage({ pages, span: before }: SoFar, page: RawPage): SoFar {
  const own = page.span();
  const span =
    before && own
      ? { first: Math.min(before.first, own.first), last: Math.max(before.last, own.last) }
      : (own ?? before);
  const isFull = page.bytes >= FULL_PAGE_BYTES && own !== undefined && own.last > own.first;
  return { pages: pages + 1, span, pageMs: isFull ? own.last - own.first : undefined };
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

function deliver(page: RawPage, read: LogGroupRead, scan: CompiledScan, once: EventsOnce): Delivered {
  const { target, filter, limit, pattern } = read;
  const recordOf = recordMaker(target, filter);
  const wanted = (event: FilteredLogEvent): SourceRecord[] => {
    if (!once.isNew(event) || !scan.mayHold(event.message ?? '')) return [];
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
