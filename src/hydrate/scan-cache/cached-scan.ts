import type { Column } from '../../catalog/table.ts';
import { abortable } from '../../kernel/abort.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { ScanRequest, ScanSource } from '../../sources/source.ts';
import type { Fetch } from '../fetch.ts';
import type { HydratedRows, StatementContext, TimedRows } from '../hydrator.ts';
import { type Asked, askedBy, isSubset, tailOf } from './asked.ts';
import { type Entry, type EntryPart, type Flight, livesFor, type Said, type SourceNotice } from './entry.ts';
import type { ScanCache } from './scan-cache.ts';

/** A tail is made part of what has settled when it has grown to this share of the whole: parts stay few. */
const WORTH_SETTLING = 1 / 8;

interface Leased {
  readonly leased: HydratedRows;
  readonly from: number;
  readonly before: number;
}

interface Found {
  readonly entry: Entry;
  readonly parts: readonly (EntryPart & Leased)[];
  /** What has still to be read. */
  readonly tail: ScanRequest | undefined;
  /** Where it begins. */
  readonly from: number;
}

/** Rows of tables without a time to live are not kept, nor are groups; small answers that cost quota are kept by key. */
export function mayBeKept(source: ScanSource, request: ScanRequest): boolean {
  return request.table.ttlMs > 0 && request.aggregation === undefined && source.keptAs === undefined;
}

/** One scan of one statement: what of it is kept, what is still to be read, and what becomes of that. */
export class CachedScan implements Flight {
  /** Resolves when its rows are kept, or will not be. */
  readonly ended: Promise<void>;
  readonly #cache: ScanCache;
  readonly #clock: Clock;
  readonly #source: ScanSource;
  readonly #request: ScanRequest;
  readonly #statement: StatementContext;
  readonly #arrivedAt: number;
  readonly #notices: SourceNotice[] = [];
  readonly #mayReadMore: boolean;
  #asked: Asked;
  #isFixed = false;
  #end: () => void = () => undefined;
  #startedAt: number;
  #found: Found | undefined;
  #isWhole = false;

  /** @param mayReadMore than the columns of the request: what others ask for, or have asked */
  constructor(
    cache: ScanCache,
    clock: Clock,
    { source, request, statement }: { source: ScanSource; request: ScanRequest; statement: StatementContext },
    mayReadMore = true,
  ) {
    this.#cache = cache;
    this.#clock = clock;
    this.#source = source;
    this.#request = request;
    this.#asked = askedBy(request, statement.role, source);
    this.#mayReadMore = mayReadMore && source.wholeRecords === true;
    this.#statement = statement;
    this.#arrivedAt = this.#startedAt = clock.now();
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }

  /** What it reads: perhaps further columns than its statement asked for. */
  get asked(): Asked {
    return this.#asked;
  }

  get readsTail(): boolean {
    return this.#found?.tail !== undefined;
  }

  get readsMore(): boolean {
    return this.#asked.columns.size > this.#request.columns.length;
  }

  canTake(columns: ReadonlySet<Column>): boolean {
    if (this.#isFixed || !this.#mayReadMore) return false;
    return this.#found === undefined || isSubset(columns, this.#found.entry.asked.columns);
  }

  take(columns: ReadonlySet<Column>): void {
    this.#asked = { ...this.#asked, columns: new Set([...this.#asked.columns, ...columns]) };
  }

  /** The first rows have come: whoever wants further columns of them is too late. */
  fixColumns(): readonly Column[] {
    this.#isFixed = true;
    const { columns, table } = this.#request;
    return this.readsMore ? table.columns.filter((column) => this.#asked.columns.has(column)) : columns;
  }

  /** Whether others may wait for it. */
  get willBeKept(): boolean {
    return !this.#wantsFew && !this.#statement.settings.partial;
  }

  /** What must be read beside what is kept: the request itself where nothing is, undefined where all is. */
  async find(fetch: Fetch): Promise<ScanRequest | undefined> {
    const { signal } = fetch;
    const { cache, sources } = this.#statement.settings;
    const mayAsk = cache || sources === 'cache';
    for (;;) {
      let ended = this.#joined(mayAsk);
      if (ended === undefined) {
        const lookedAt = this.#cache.additions;
        this.#found = mayAsk ? await this.#pick(signal) : undefined;
        if (this.#found !== undefined && this.#found.tail === undefined) break;
        // Another may have begun in the meantime, or ended.
        ended = this.#joined(mayAsk);
        const isMissed = mayAsk && this.#cache.hasAdded(this.#asked, lookedAt);
        if (ended === undefined && !isMissed) break;
        await this.giveUp();
      }
      if (ended !== undefined) await abortable(ended, signal);
    }
    const found = this.#found;
    if (found !== undefined) {
      for (const { severity, message } of found.entry.notices) this.#statement.notice(severity, message);
      fetch.newest = found.entry.newest;
      if (sources === 'cache') {
        const readAt = new Date(found.entry.fetchedAt).toISOString();
        this.#statement.notice(
          'NOTICE',
          `${this.asked.table.name} is as it was read at ${readAt}: trailhound.sources is cache`,
        );
      }
      if (found.tail === undefined) {
        fetch.searched.push(...found.entry.searched);
        return undefined;
      }
    }
    this.#startedAt = this.#clock.now();
    if (mayAsk && this.#mayReadMore && this.willBeKept) this.take(this.#columnsBeside());
    if (sources !== 'cache') this.#cache.takeOff(this);
    return found?.tail ?? this.#request;
  }

  /** Of the source: that rows may be missing, or why there are none, is as true of the kept ones. */
  notice(severity: SourceNotice['severity'], message: string): void {
    this.#notices.push({ severity, message });
    const isSaid = this.#found?.entry.notices.some((kept) => kept.message === message) === true;
    if (!isSaid) this.#statement.notice(severity, message);
  }

  /** All that had to be read was read. */
  whole(): void {
    this.#isWhole = this.#request.limit === undefined && !this.#statement.settings.partial;
  }

  /** What stands for the scan: what was kept, and what was read. */
  async finish(read: HydratedRows, said: Omit<Said, 'notices'>): Promise<HydratedRows> {
    const found = this.#found;
    if (found?.tail === undefined && found !== undefined) {
      await read.release();
      return this.#together(found, found.parts, read);
    }
    const part = this.#isWhole ? await this.#cache.addPart(this.asked, read, this.#startedAt) : undefined;
    const own = part?.rows.lease() ?? read;
    const before = found?.parts ?? [];
    const from = found?.from ?? Number.NEGATIVE_INFINITY;
    if (part !== undefined) {
      const parts = [...before, { part, from, before: Number.POSITIVE_INFINITY }];
      await this.#cache.keep(this.#entry(parts, found?.entry, said));
    }
    if (found === undefined) return own;
    const tail = { leased: own, from, before: Number.POSITIVE_INFINITY };
    return this.#together(found, [...before, tail], read);
  }

  /** Whatever became of it. */
  end(): void {
    this.#cache.land(this);
    this.#end();
  }

  /** It has failed: what was found is not needed. */
  async giveUp(): Promise<void> {
    for (const { leased } of this.#found?.parts ?? []) await leased.release();
    this.#found = undefined;
  }

  get #wantsFew(): boolean {
    return this.#request.limit !== undefined || this.#request.order !== undefined;
  }

  /** So that what is read now can stand in the place of what is kept; JSON is too much to read for nobody. */
  #columnsBeside(): ReadonlySet<Column> {
    if (this.#found !== undefined) return this.#found.entry.asked.columns;
    return new Set(this.#cache.columnsBeside(this.#asked).filter(({ type }) => !type.startsWith('json')));
  }

  /** When another scan has ended that reads all of this one's rows; its columns are among those that are read then. */
  #joined(mayAsk: boolean): Promise<void> | undefined {
    // A few rows are sooner read than all that another wants; the first ones in an order take most of a tail.
    const { limit, order } = this.#request;
    if (!mayAsk || limit !== undefined || this.#statement.settings.sources !== 'live') return undefined;
    const flight = this.#cache.flightFor(this.#asked, order !== undefined);
    if (flight !== undefined && !isSubset(this.#asked.columns, flight.asked.columns)) flight.take(this.#asked.columns);
    return flight?.ended;
  }

  async #pick(signal: AbortSignal): Promise<Found | undefined> {
    const { cacheMaxAgeMs = Number.POSITIVE_INFINITY } = this.#statement.settings;
    const entries = await this.#cache.candidates(this.asked, cacheMaxAgeMs, signal);
    const founds = entries.flatMap((entry) => this.#partsOf(entry, cacheMaxAgeMs) ?? []);
    // One of them may have gone while another was asked for.
    const there = founds.filter(({ entry }) => this.#cache.has(entry));
    const best = there.find(({ tail }) => tail === undefined) ?? there[0];
    if (best === undefined) return undefined;
    this.#cache.use(best.entry);
    return { ...best, parts: best.parts.map((each) => ({ ...each, leased: each.part.rows.lease() })) };
  }

  /** Which of a kept scan's rows can stand for the own, and what is missing of them then. */
  #partsOf(
    entry: Entry,
    notOlderMs: number,
  ): (Omit<Found, 'parts'> & { readonly parts: readonly EntryPart[] }) | undefined {
    const { range, time } = this.asked;
    const { settledUntil } = entry;
    if (this.#statement.relationOnly && entry.parts.some(({ part }) => part.kind === 'values')) return undefined;
    // Who asked while it was read, asked for what it read.
    const { settled } = this.#source;
    const isAsNew =
      this.#statement.settings.sources === 'cache' ||
      settled === undefined ||
      entry.endedAt >= this.#arrivedAt ||
      range.to <= entry.fetchedAt;
    const isSettled = settled !== undefined && entry.asked.range.to <= entry.fetchedAt - settled.afterMs;
    const age = this.#clock.now() - entry.fetchedAt;
    const isYoung = age <= Math.min(isSettled ? livesFor(entry) : this.asked.table.ttlMs, notOlderMs);
    if (isAsNew && isYoung && range.to <= entry.asked.range.to)
      return { entry, parts: entry.parts, tail: undefined, from: Number.POSITIVE_INFINITY };
    if (settledUntil === undefined || range.from >= settledUntil) return undefined;
    const parts = entry.parts
      .filter(({ from }) => from < settledUntil)
      .map((each) => ({ ...each, before: Math.min(each.before, settledUntil) }));
    if (range.to < settledUntil) return { entry, parts, tail: undefined, from: settledUntil };
    if (time === undefined || this.#statement.settings.sources !== 'live') return undefined;
    return { entry, parts, tail: tailOf(this.#request, time, settledUntil), from: settledUntil };
  }

  #entry(parts: readonly EntryPart[], before: Entry | undefined, said: Omit<Said, 'notices'>): Entry {
    const range = { from: before?.asked.range.from ?? this.asked.range.from, to: this.asked.range.to };
    const newest = [said.newest, before?.newest].filter((each) => each !== undefined);
    return {
      asked: { ...this.asked, range },
      parts,
      settledUntil: this.#settledUntil(range, before?.settledUntil),
      oldest: before?.oldest ?? this.#startedAt,
      fetchedAt: this.#startedAt,
      endedAt: this.#clock.now(),
      notices: [
        ...new Map([...(before?.notices ?? []), ...this.#notices].map((each) => [each.message, each])).values(),
      ],
      searched: said.searched,
      newest: newest.length === 0 ? undefined : Math.max(...newest),
    };
  }

  #settledUntil({ from, to }: Asked['range'], before: number | undefined): number | undefined {
    const { settled } = this.#source;
    if (settled === undefined || this.asked.time === undefined) return undefined;
    const until = Math.floor(Math.min(to, this.#startedAt - settled.afterMs));
    if (until <= from) return undefined;
    return before !== undefined && until - before < (until - from) * WORTH_SETTLING ? before : until;
  }

  #together({ entry }: Found, parts: readonly Leased[], { columns, statistics: own }: HydratedRows): HydratedRows {
    const rows = parts.reduce((sum, { leased }) => sum + leased.statistics.rows, 0);
    const statistics = { ...own, rows };
    const timed = parts.map(({ leased, from, before }): TimedRows => ({ rows: leased, from, before }));
    const release = async (): Promise<void> => {
      for (const { leased } of parts) await leased.release();
    };
    const [only, ...more] = parts;
    const isWhole = more.length === 0 && only?.before === Number.POSITIVE_INFINITY;
    if (isWhole || entry.asked.time === undefined) return { ...(only as Leased).leased, statistics };
    return { kind: 'parts', parts: timed, time: entry.asked.time.name, columns, statistics, release };
  }
}
