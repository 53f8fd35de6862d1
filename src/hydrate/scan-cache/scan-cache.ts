import type { Column } from '../../catalog/table.ts';
import { abortable } from '../../kernel/abort.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/log.ts';
import { type Asked, holdsAllOf, holdsRowsOf, isSubset } from './asked.ts';
import { type Entry, type Flight, livesFor } from './entry.ts';
import type { KeptPart, KeptParts } from './kept-parts.ts';

/** Of rows that are kept in this process rather than in a relation, in characters. */
const MOST_IN_MEMORY = 16 * 1024 * 1024;

/** Who wants less than one part in so many of what is being read has it sooner by reading it. */
const WORTH_WAITING = 4;

/** How often what is too old is looked for. */
const CLEAN_EVERY_MS = 60_000;

export interface ScanCacheOptions {
  readonly parts: KeptParts;
  readonly clock: Clock;
  readonly log: Logger;
  /** Of all relations together: what no statement has used for the longest time goes first. */
  readonly maxBytes: number;
}

/** Rows of this process's scans, for statements that ask for them again, for some of them, or for newer ones too. */
export class ScanCache {
  readonly #options: ScanCacheOptions;
  /** The least recently used first. */
  readonly #entries = new Map<Entry, (() => Promise<void>)[]>();
  readonly #flights = new Set<Flight>();
  /** When each was added, by the count of all. */
  readonly #added = new WeakMap<Entry, number>();
  #additions = 0;
  #cancelCleaning: (() => void) | undefined;

  constructor(options: ScanCacheOptions) {
    this.#options = options;
  }

  /**
   * Another scan under way whose rows will hold all that is asked, perhaps after they were asked for further columns.
   *
   * @param isSoon whether it may take no longer than the newest rows do
   */
  flightFor(asked: Asked, isSoon: boolean): Flight | undefined {
    const now = this.#options.clock.now();
    const holding = [...this.#flights].filter(
      (flight) =>
        flight.willBeKept &&
        (flight.readsTail || !isSoon) &&
        holdsRowsOf(flight.asked, asked) &&
        asked.range.to <= flight.asked.range.to &&
        lengthOf(asked) * WORTH_WAITING >= lengthOf(flight.asked),
    );
    return (
      holding.find((flight) => isSubset(asked.columns, flight.asked.columns)) ??
      holding.find((flight) => flight.canTake(asked.columns))
    );

    function lengthOf({ range }: Asked): number {
      return Math.min(range.to, now) - range.from;
    }
  }

  takeOff(flight: Flight): void {
    this.#flights.add(flight);
  }

  land(flight: Flight): void {
    this.#flights.delete(flight);
  }

  /** The kept scans whose rows hold all that is asked, but perhaps for the newest, and are young enough to be asked. */
  async candidates(asked: Asked, notOlderMs: number, signal: AbortSignal): Promise<readonly Entry[]> {
    const now = this.#options.clock.now();
    const found: Entry[] = [];
    for (const entry of [...this.#entries.keys()].reverse()) {
      if (!holdsAllOf(entry.asked, asked) || now - entry.oldest > Math.min(livesFor(entry), notOlderMs)) continue;
      found.push(entry);
    }
    if (found.length === 0) return found;
    const lost = await abortable(this.#lost(found), signal);
    // What has emptied one has emptied more.
    if (lost.length > 0) for (const entry of await this.#lost([...this.#entries.keys()])) await this.#drop(entry);
    return found.filter((entry) => !lost.includes(entry));
  }

  /** Of kept scans whose rows hold all that is asked but for columns: those that they have. */
  columnsBeside(asked: Asked): readonly Column[] {
    return [...this.#entries.keys()]
      .filter((entry) => holdsRowsOf(entry.asked, asked))
      .flatMap((entry) => [...entry.asked.columns]);
  }

  /** So many scans have been kept. */
  get additions(): number {
    return this.#additions;
  }

  /** Whether one that holds all that is asked, but perhaps for the newest, was kept since there were so many. */
  hasAdded(asked: Asked, additions: number): boolean {
    return [...this.#entries.keys()].some(
      (entry) => (this.#added.get(entry) ?? 0) > additions && holdsAllOf(entry.asked, asked),
    );
  }

  has(entry: Entry): boolean {
    return this.#entries.has(entry);
  }

  /** What was used last goes last. */
  use(entry: Entry): void {
    const leases = this.#entries.get(entry);
    if (leases === undefined) return;
    this.#entries.delete(entry);
    this.#entries.set(entry, leases);
  }

  async keep(entry: Entry): Promise<void> {
    // What is too much alone would drive out all the others, and go then.
    if (bytesOf(new Set(entry.parts.map(({ part }) => part)), 'relation') > this.#options.maxBytes) return;
    const leases = entry.parts.map(({ part }) => part.rows.lease());
    const replaced = [...this.#entries.keys()].filter(
      ({ asked }) => holdsAllOf(entry.asked, asked) && asked.range.to <= entry.asked.range.to,
    );
    this.#entries.set(
      entry,
      leases.map((lease) => () => lease.release()),
    );
    this.#added.set(entry, (this.#additions += 1));
    for (const old of replaced) await this.#drop(old);
    await this.#makeRoom();
    this.#cancelCleaning ??= this.#options.clock.schedule(CLEAN_EVERY_MS, () => void this.#clean());
  }

  async addPart(...given: Parameters<KeptParts['add']>): Promise<KeptPart | undefined> {
    return this.#options.parts.add(...given).catch((error: unknown) => {
      this.#options.log.warn({ err: error }, 'rows of a scan could not be kept');
      return undefined;
    });
  }

  async close(): Promise<void> {
    this.#cancelCleaning?.();
    for (const entry of this.#entries.keys()) await this.#drop(entry);
  }

  async #lost(entries: readonly Entry[]): Promise<readonly Entry[]> {
    const there = await this.#options.parts.present(entries.flatMap(({ parts }) => parts.map(({ part }) => part)));
    return entries.filter(({ parts }) => !parts.every(({ part }) => there.has(part)));
  }

  async #clean(): Promise<void> {
    this.#cancelCleaning = undefined;
    const now = this.#options.clock.now();
    // What trailhound.cache_clear() has forgotten is in nobody's way, but its relations take space.
    const lost = await this.#lost([...this.#entries.keys()]).catch((): readonly Entry[] => []);
    for (const entry of this.#entries.keys()) {
      if (now - entry.oldest > livesFor(entry) || lost.includes(entry)) await this.#drop(entry);
    }
    if (this.#entries.size > 0)
      this.#cancelCleaning ??= this.#options.clock.schedule(CLEAN_EVERY_MS, () => void this.#clean());
  }

  async #makeRoom(): Promise<void> {
    for (const entry of this.#entries.keys()) {
      const parts = new Set([...this.#entries.keys()].flatMap((each) => each.parts.map(({ part }) => part)));
      if (bytesOf(parts, 'values') <= MOST_IN_MEMORY && bytesOf(parts, 'relation') <= this.#options.maxBytes) return;
      await this.#drop(entry);
    }
  }

  async #drop(entry: Entry): Promise<void> {
    const leases = this.#entries.get(entry) ?? [];
    this.#entries.delete(entry);
    for (const release of leases) await release();
  }
}

function bytesOf(parts: ReadonlySet<KeptPart>, kind: KeptPart['kind']): number {
  return [...parts].reduce((sum, part) => sum + (part.kind === kind ? part.bytes : 0), 0);
}
