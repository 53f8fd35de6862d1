import type { Answer } from './key-cache.ts';

type Notice = (severity: 'NOTICE' | 'WARNING', message: string) => void;

/**
 * Asks the source. Resolves with the answer and with when it is kept where the next reader will find it. An answer that came
 * at the time that `since` gives, or later, will do for all who wait by then.
 */
export type Ask = (
  signal: AbortSignal,
  notice: Notice,
  since: () => number,
) => Promise<{ answer: Answer; kept: Promise<void> }>;

/** Of a statement that wants an answer of its own time. */
export const FRESH = Number.POSITIVE_INFINITY;

/** One statement's share in a flight. */
export interface Ticket {
  readonly flight: Flight;
  /** Nobody meant to ask before: it is this statement that does. */
  readonly first: boolean;
  /** This statement will not ask, whatever becomes of the others. */
  decline(): void;
  /** The last one to leave aborts a request in flight, or takes one off the queue that nobody has started. */
  leave(): void;
}

interface Flight {
  /** `queued`: some statement means to ask; any of its waiters may. */
  readonly state: 'queued' | 'running' | 'done' | 'failed' | 'left';
  readonly answer: Promise<Answer>;
  /** Resolves when all who still wait have declined to ask. */
  readonly abandoned: Promise<void>;
  /** Never rejects; does nothing unless queued. Resolves when the flight has landed. */
  start(ask: Ask): Promise<void>;
}

/** Keys being asked for right now, over all statements: each is asked once, whoever waits for it. */
export class Flights {
  readonly #flights = new Map<string, SharedFlight>();
  readonly #reads = new Set<Promise<void>>();

  /**
   * Bracket a look into the cache with it: what lands meanwhile stays here until `end`, because that look may have come
   * too early to see it. Between the look's result and `end` there must be no await.
   */
  beginRead(): { end: () => void } {
    let end = (): void => undefined;
    const read = new Promise<void>((resolve) => (end = resolve));
    this.#reads.add(read);
    return {
      end: () => {
        this.#reads.delete(read);
        end();
      },
    };
  }

  /** `since`: which answers will do; with FRESH, none that is here already. */
  has(key: string, since: number): boolean {
    return this.#find(key, since) !== undefined;
  }

  join(key: string, since: number, notice: Notice): Ticket {
    const known = this.#find(key, since);
    if (known !== undefined) return known.join(notice, since, false);
    const flight = new SharedFlight((ended) => this.#landed(key, ended));
    this.#flights.set(key, flight);
    return flight.join(notice, since, true);
  }

  #find(key: string, since: number): SharedFlight | undefined {
    const flight = this.#flights.get(key);
    return flight?.state === 'done' && since === FRESH ? undefined : flight;
  }

  #landed(key: string, flight: SharedFlight): void {
    const remove = () => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    if (flight.state === 'done') {
      void flight.kept.then(() => Promise.all(this.#reads)).then(remove);
    } else {
      remove();
    }
  }
}

class SharedFlight implements Flight {
  state: Flight['state'] = 'queued';
  readonly answer: Promise<Answer>;
  readonly abandoned: Promise<void>;
  kept: Promise<void> = Promise.resolve();
  readonly #controller = new AbortController();
  readonly #waiters = new Set<Notice>();
  readonly #declined = new Set<Notice>();
  readonly #ended: (flight: SharedFlight) => void;
  #resolve: (answer: Answer) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #abandon: () => void = () => undefined;
  #landing: Promise<void> | undefined;
  #since = 0;

  constructor(ended: (flight: SharedFlight) => void) {
    this.#ended = ended;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.abandoned = new Promise((resolve) => {
      this.#abandon = resolve;
    });
    // Every waiter may have left before it fails.
    this.answer.catch(() => undefined);
  }

  join(notice: Notice, since: number, first: boolean): Ticket {
    this.#since = Math.max(this.#since, since);
    // A waiter is an identity of its own, even where two join with the same function.
    const waiter: Notice = (severity, message) => notice(severity, message);
    this.#waiters.add(waiter);
    const decline = () => {
      this.#declined.add(waiter);
      this.#checkAbandoned();
    };
    return { flight: this, first, decline, leave: () => this.#leave(waiter) };
  }

  #checkAbandoned(): void {
    if ([...this.#waiters].every((waiter) => this.#declined.has(waiter))) this.#abandon();
  }

  start(ask: Ask): Promise<void> {
    return (this.#landing ??= this.state === 'queued' ? this.#fly(ask) : Promise.resolve());
  }

  async #fly(ask: Ask): Promise<void> {
    this.state = 'running';
    try {
      const notice: Notice = (severity, message) => {
        for (const waiter of this.#waiters) waiter(severity, message);
      };
      const { answer, kept } = await ask(this.#controller.signal, notice, () => this.#since);
      if (this.#isLeft()) return;
      this.kept = kept;
      this.state = 'done';
      this.#resolve(answer);
      this.#ended(this);
    } catch (error) {
      if (this.#isLeft()) return;
      this.state = 'failed';
      this.#reject(error);
      this.#ended(this);
    }
  }

  #leave(waiter: Notice): void {
    if (!this.#waiters.delete(waiter)) return;
    this.#checkAbandoned();
    if (this.#waiters.size > 0) return;
    if (this.state !== 'queued' && this.state !== 'running') return;
    this.state = 'left';
    this.#ended(this);
    const reason = new Error('nobody waits for this answer any longer');
    this.#controller.abort(reason);
    this.#reject(reason);
  }

  // A method, because the compiler believes the state unchanged across an await.
  #isLeft(): boolean {
    return this.state === 'left';
  }
}
