import type { Clock } from '../../../src/kernel/clock.ts';
import { boundingOperator } from '../../../src/sources/bounding.ts';
import type { CallContext, Page, Predicate, ScanPlan, ScanRequest, ScanSource } from '../../../src/sources/source.ts';

interface Happened {
  readonly n: number;
  readonly name: string;
  readonly at: number;
}

/** A log of events that never change and come within a quarter of an hour; it answers with those in the asked range. */
export class DelayedLog implements ScanSource {
  readonly kind = 'scan';
  readonly settled = { path: 'at', afterMs: 15 * 60_000 };
  wholeRecords = true;
  places: string | undefined;
  /** Which of its events has a text in the place of its number. */
  broken: number | undefined;
  /** Every reading: of the times from when on, and when it was made. */
  readonly ranges: { readonly from: number; readonly at: number }[] = [];
  /** Of every reading, from when on is wanted what it is the rest of. */
  readonly wholes: (number | undefined)[] = [];
  /** With each reading. */
  says: readonly (readonly ['NOTICE' | 'WARNING', string])[] = [];
  readonly #clock: Clock;
  readonly #events: Happened[] = [];
  #gate: { readonly opened: Promise<void>; readonly open: () => void } | undefined;
  #waiting = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** One event a minute, the last of them now. */
  happen(count: number): void {
    for (let back = count - 1; back >= 0; back -= 1) this.happenedAt(this.#clock.now() - back * 60_000);
  }

  happenedAt(at: number): void {
    const n = this.#events.length;
    this.#events.push({ n, name: n % 2 === 0 ? 'even' : 'odd', at });
  }

  between(from: number, to: number): readonly number[] {
    return this.#events.filter(({ at }) => at >= from && at <= to).map(({ n }) => n);
  }

  /** The numbers of the events that satisfy them. */
  answers(predicates: readonly Predicate[]): readonly number[] {
    return this.#events.filter((event) => predicates.every((each) => satisfies(event, each))).map(({ n }) => n);
  }

  hold(): void {
    let open = (): void => undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    this.#gate = { opened, open };
  }

  letGo(): void {
    this.#gate?.open();
    this.#gate = undefined;
  }

  /** Resolves once so many readings have begun and wait. */
  async waiting(count: number): Promise<void> {
    while (this.#waiting < count) await new Promise((resolve) => setImmediate(resolve));
  }

  plan(): ScanPlan {
    return { pushed: [], empty: false, parts: [], notices: [] };
  }

  async *scan({ predicates, restOf }: ScanRequest, context: CallContext): AsyncGenerator<Page> {
    const wanted = this.#events.filter((event) => predicates.every((each) => satisfies(event, each)));
    this.ranges.push({ from: fromOf(predicates), at: this.#clock.now() });
    this.wholes.push(restOf && fromOf(restOf.predicates));
    for (const said of this.says) context.notice(...said);
    yield await context.call({ key: 'log', concurrency: 4 }, async () => {
      this.#waiting += 1;
      await this.#gate?.opened;
      this.#waiting -= 1;
      const records = wanted.map((event) => {
        const value = { ...event, twice: event.n === this.broken ? 'none' : event.n * 2 };
        return { value, added: {}, origin: () => `event ${String(event.n)}` };
      });
      return { records, bytes: 0 };
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function fromOf(predicates: readonly Predicate[]): number {
  const froms = predicates.flatMap(({ column, operator, values }) =>
    column.path === 'at' && (operator === '>' || operator === '>=') ? values.map(Number) : [],
  );
  return Math.max(...froms);
}

function satisfies({ at, name }: Happened, { column, operator, values }: Predicate): boolean {
  if (column.name === 'name') return values.includes(name);
  if (column.name === 'filter') return true;
  const bound = Number(values[0]);
  switch (boundingOperator(operator)) {
    case '<':
      return at < bound;
    case '<=':
      return at <= bound;
    case '>':
      return at > bound;
    case '>=':
      return at >= bound;
    case '=':
    case undefined:
      throw new Error(`${operator} is not asked of it`);
  }
}
