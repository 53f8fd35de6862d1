import type { VirtualTable } from '../catalog/table.ts';
import type { HydratedRows, Hydrator, IsEnough, StatementContext } from '../hydrate/hydrator.ts';
import type { Reference } from '../planner/statement.ts';
import type { Step } from '../planner/steps.ts';
import type { Predicate, ScanRequest, Source } from '../sources/source.ts';
import type { KnownFirstRows, KnownRestrictions } from './constants.ts';
import { isBeyond, lastOf, upTo } from './first-rows.ts';
import { allOf, type Guard } from './guard.ts';
import { missingKeysGuard } from './missing-keys.ts';
import type { OwnQueries } from './own-queries.ts';
import type { Placeholders } from './placeholders.ts';
import { SameScans } from './same-scans.ts';
import { MAX_SCAN_KEYS, narrow } from './scan-keys.ts';
import { scanRequest } from './scan-request.ts';
import type { SharedRequests } from './shared-requests.ts';

type Scan = Extract<Step, { kind: 'scan' }>;

/** Reads a plan's scans: together, but for those that wait for values of others. */
export class ScanSteps {
  readonly #restrictions: ReadonlyMap<Reference, KnownRestrictions>;
  readonly #hydrator: Hydrator;
  readonly #context: StatementContext;
  readonly #placeholders: Placeholders;
  readonly #own: OwnQueries;
  readonly #shared: SharedRequests;
  readonly #sourceOf: (name: string) => Source | undefined;
  readonly #abort: (reason: unknown) => void;
  readonly #sharedScans = new Map<VirtualTable, Promise<HydratedRows>>();

  constructor(options: {
    restrictions: ReadonlyMap<Reference, KnownRestrictions>;
    hydrator: Hydrator;
    context: StatementContext;
    placeholders: Placeholders;
    own: OwnQueries;
    shared: SharedRequests;
    sourceOf: (name: string) => Source | undefined;
    /** Aborts the context's signal. */
    abort: (reason: unknown) => void;
  }) {
    this.#restrictions = options.restrictions;
    this.#hydrator = options.hydrator;
    this.#context = options.context;
    this.#placeholders = options.placeholders;
    this.#own = options.own;
    this.#shared = options.shared;
    this.#sourceOf = options.sourceOf;
    this.#abort = options.abort;
  }

  async run(steps: readonly Step[]): Promise<void> {
    const done = new Map<Reference, Promise<void>>();
    const same = new SameScans(this.#requestsOf(steps));
    const scanning = steps
      .filter((step) => step.kind === 'scan')
      .map((step) => {
        const before = step.keys.flatMap(({ reads }) => [...reads].flatMap((reference) => done.get(reference) ?? []));
        const own = this.#scanAfter(before, step, same);
        done.set(step.reference, own);
        return own;
      });
    await Promise.allSettled(scanning);
    await Promise.all(scanning);
  }

  #requestsOf(steps: readonly Step[]): ReadonlyMap<Reference, ScanRequest> {
    const requests = new Map<Reference, ScanRequest>();
    for (const step of steps) {
      if (step.kind !== 'scan' || step.reference.below || step.keys.length > 0) continue;
      const known = this.#restrictions.get(step.reference);
      if (known?.contradiction !== true) requests.set(step.reference, this.#request(step.reference, known));
    }
    return requests;
  }

  #request(reference: Reference, known: KnownRestrictions | undefined, keys?: readonly Predicate[]): ScanRequest {
    return scanRequest(reference, known, this.#sourceOf(reference.view.table.source), keys);
  }

  async #scanAfter(before: readonly Promise<void>[], step: Scan, same: SameScans): Promise<void> {
    try {
      await Promise.all(before);
      this.#context.signal.throwIfAborted();
      await this.#scan(step, same);
    } catch (error) {
      // The statement fails with the first of them: nobody waits for the others.
      this.#abort(error);
      throw error;
    }
  }

  async #scan({ reference, keys }: Scan, same: SameScans): Promise<void> {
    const known = this.#restrictions.get(reference);
    if (known?.contradiction === true) {
      await this.#placeholders.fill(reference, { rows: 'empty', guard: undefined });
      return;
    }
    if (reference.below) {
      const { table } = reference.view;
      // Fetched once, for whichever of its mentions is scanned.
      const shared = this.#sharedScans.get(table) ?? this.#fetchShared(reference);
      this.#sharedScans.set(table, shared);
      await this.#placeholders.fill(reference, { rows: await shared, guard: undefined });
      return;
    }
    const narrowed = await narrow(
      keys,
      (query) => this.#own.run(query, MAX_SCAN_KEYS),
      (predicate) => this.#isTaken(reference, predicate),
    );
    const predicates = narrowed.map(({ predicate }) => predicate);
    const request = this.#request(reference, known, predicates);
    const isEmpty = predicates.some(({ values }) => values.length === 0);
    const first = known?.first;
    const isEnough: IsEnough | undefined =
      first && ((some, reached) => this.#haveCome(reference, first, some, reached));
    const scan = (asked: ScanRequest) => this.#hydrator.scan(asked, this.#context, isEnough);
    const rows = isEmpty ? NONE_YET : await same.fetch(reference, request, scan);
    const { aggregation } = request;
    await this.#placeholders.fill(reference, { rows, guard: undefined, aggregation });
    const isCut = first?.joined === true && request.columns.includes(first.order.column);
    const guards: Guard[] =
      isCut && rows.statistics.rows > first.count ? [...(await this.#cutOff(reference, first))] : [];
    if (guards.length > 0) this.#placeholders.guardBy(reference, allOf(guards));
    for (const { by, asked } of narrowed) {
      if (!by.ordinary) continue;
      guards.push(await missingKeysGuard(by.queries, 'text', asked, this.#own));
      this.#placeholders.guardBy(reference, allOf(guards));
    }
  }

  async #haveCome(reference: Reference, first: KnownFirstRows, rows: HydratedRows, reached: number): Promise<boolean> {
    // What they cost is counted when the scan has ended.
    await this.#placeholders.fill(reference, { rows: { ...rows, statistics: NONE_YET.statistics }, guard: undefined });
    const last = await lastOf(first, this.#own);
    return last !== undefined && isBeyond(last, reached, first);
  }

  /** Look-ups that are joined to rows of a sorted level are needed for the first of them alone. */
  async #cutOff(reference: Reference, first: KnownFirstRows): Promise<readonly Guard[]> {
    const last = await lastOf(first, this.#own);
    return last === undefined ? [] : [upTo(last, first)];
  }

  #isTaken(reference: Reference, predicate: Predicate): boolean {
    const source = this.#sourceOf(reference.view.table.source);
    const request = this.#request(reference, this.#restrictions.get(reference), [predicate]);
    const pushed = source?.kind === 'scan' ? source.plan(request).pushed : [];
    return pushed.some((each) => each.predicate === predicate && each.exactness !== 'none');
  }

  async #fetchShared(reference: Reference): Promise<HydratedRows> {
    const request = {
      ...this.#request(reference, this.#shared.restrictionsOf(reference)),
      columns: this.#shared.columnsOf(reference),
    };
    return this.#hydrator.scan(request, this.#context);
  }
}

/** No row that PostgreSQL could know of while it plans: it would leave out the guard. */
const NONE_YET: HydratedRows = {
  kind: 'values',
  rows: [],
  columns: [],
  statistics: { calls: 0, pages: 0, rows: 0, bytes: 0, cacheHits: 0, waitMs: 0 },
  release: () => Promise.resolve(),
};
