import { abortable } from '../kernel/abort.ts';
import type { CallContext, LookupSource } from '../sources/source.ts';
import { type AskedKey, isFirst } from './asked-key.ts';
import type { Fetch } from './fetch.ts';
import { FRESH, type Ask, type Ticket } from './flights.ts';
import type { LookupRequest } from './hydrator.ts';
import type { Answer } from './key-cache.ts';
import type { LookupParts } from './lookup-parts.ts';
import { overBudget } from './over-budget.ts';
import type { QuotaClaim } from './quota-ledger.ts';
import { isLocalFailure, toStatementError } from './source-failure.ts';

/** The calls of one look-up: as many at once as the session allows, each key by whichever statement comes to it first. */
export class LookupCalls {
  started = 0;
  readonly #source: LookupSource;
  readonly #request: LookupRequest;
  readonly #fetch: Fetch;
  readonly #parts: LookupParts;
  readonly #waiting: readonly AskedKey[];
  readonly #quota: QuotaClaim | undefined;
  readonly #failures: { readonly error: unknown }[] = [];
  #landed = 0;
  #stopped = false;
  /** trailhound.partial: what makes asking for further keys senseless, such as refused credentials. */
  #hopeless = false;

  constructor(
    source: LookupSource,
    request: LookupRequest,
    fetch: Fetch,
    parts: LookupParts,
    asked: readonly AskedKey[],
    quota: QuotaClaim | undefined,
  ) {
    this.#source = source;
    this.#request = request;
    this.#fetch = fetch;
    this.#parts = parts;
    this.#quota = quota;
    const waiting = asked.filter((one) => one.ticket !== undefined);
    // First what others may wait for, then what others mean to ask.
    const [own, others] = [waiting.filter(isFirst), waiting.filter((one) => !isFirst(one))];
    this.#waiting = [...own, ...others];
  }

  /** Resolves when every key has landed, whoever asked; rejects with the first failure unless trailhound.partial is on. */
  async work(): Promise<void> {
    const width = Math.min(this.#fetch.statement.settings.concurrency, this.#waiting.length);
    const queue = this.#waiting.values();
    const landings = this.#waiting.map((one) => this.#watch(one));
    try {
      await Promise.all([...landings, ...Array.from({ length: width }, () => this.#worker(queue))]);
    } finally {
      this.#stopped = true;
    }
  }

  /** Undefined: it failed, and trailhound.partial counts it. */
  async answerOf(one: AskedKey): Promise<Answer | undefined> {
    if (one.ticket === undefined) return undefined;
    try {
      return await abortable(one.ticket.flight.answer, this.#fetch.signal);
    } catch (error) {
      if (this.#fetch.signal.aborted || !this.#fetch.statement.settings.partial) throw error;
      return undefined;
    }
  }

  reportMissing(): void {
    const [first] = this.#failures;
    if (first === undefined) return;
    const { name } = this.#request.table;
    const { message } = toStatementError(first.error, name);
    this.#fetch.statement.notice(
      'WARNING',
      `${this.#failures.length} of ${this.#request.keys.length} keys of ${name} could not be looked up, their rows are missing: ${message}`,
    );
  }

  async #worker(queue: Iterator<AskedKey>): Promise<void> {
    for (let next = queue.next(); next.done !== true; next = queue.next()) {
      if (this.#stopped || this.#fetch.signal.aborted) return;
      const one = next.value;
      const { ticket } = one;
      if (ticket?.flight.state !== 'queued') {
        // Somebody else was quicker.
        if (ticket?.first === true) {
          this.#parts.spent.lookups -= 1;
          this.#quota?.spend();
        }
        continue;
      }
      if (this.#hopeless) {
        ticket.leave();
        continue;
      }
      if (!this.#spend(ticket)) await this.#leaveToOthers(ticket);
      else await ticket.flight.start((...given) => this.#ask(one, ...given));
    }
  }

  #spend({ first }: Ticket): boolean {
    const { spent } = this.#parts;
    if (!first && spent.lookups >= this.#fetch.statement.settings.maxLookups) return false;
    if (!first) spent.lookups += 1;
    this.started += 1;
    return true;
  }

  /** A statement that means to ask may yet be cancelled: then what it would have asked for was not in our count. */
  async #leaveToOthers(ticket: Ticket): Promise<void> {
    ticket.decline();
    const { flight } = ticket;
    const answered = flight.answer.then(
      () => 'answered',
      () => 'answered',
    );
    const end = await abortable(Promise.race([answered, flight.abandoned.then(() => 'abandoned')]), this.#fetch.signal);
    if (end === 'answered' || this.#stopped) return;
    const { spent } = this.#parts;
    const others = 'a statement that was to ask for some of them has ended before.';
    throw overBudget(spent.lookups + 1, this.#fetch.statement.settings.maxLookups, this.#request, others);
  }

  async #ask(one: AskedKey, ...[signal, notice, since]: Parameters<Ask>): ReturnType<Ask> {
    const { cache, claims } = this.#parts;
    const { ttlMs } = this.#request.table;
    // What is not kept cannot be shared, and who wants it anew asks for it.
    const taken = ttlMs > 0 && since() !== FRESH ? await claims?.take(one.cacheKey, since, signal) : undefined;
    if (taken?.kind === 'answered') {
      this.#parts.spent.lookups -= 1;
      if (isFirst(one)) this.#quota?.spend();
      this.#fetch.tally.cacheHits += 1;
      return { answer: taken.answer, kept: Promise.resolve() };
    }
    let kept = Promise.resolve();
    try {
      const answer = await this.#call(one, signal, notice);
      if (ttlMs > 0) kept = cache.write(one.cacheKey, answer);
      return { answer, kept };
    } finally {
      void kept.then(taken?.release);
    }
  }

  async #call(one: AskedKey, signal: AbortSignal, notice: CallContext['notice']): Promise<Answer> {
    const { scheduler, clock, quotas } = this.#parts;
    const { table, columns } = this.#request;
    const { tally, statement } = this.#fetch;
    const { partial } = statement.settings;
    const quota: CallContext['quota'] = (...said) => quotas.seen(...said);
    const spent: CallContext['spent'] = (of) => quotas.spent(of);
    // An answer may lie there for as long as this process is stopped: it is as old as its question.
    let askedAt: number | undefined;
    const sending = () => void (askedAt ??= clock.now());
    const context = scheduler.context({ source: table.source, signal, tally, partial, quota, spent, notice, sending });
    const asking = this.#source.lookup(one.key, columns, context);
    const records = await asking.finally(() => {
      if (isFirst(one)) this.#quota?.spend();
    });
    return { records, fetchedAt: askedAt ?? clock.now() };
  }

  async #watch(one: AskedKey): Promise<void> {
    const flight = one.ticket?.flight;
    try {
      await flight?.answer;
    } catch (error) {
      if (this.#fetch.signal.aborted || !this.#fetch.statement.settings.partial) {
        // Here and not only in work(): the worker whose call failed goes on in the next turn.
        this.#stopped = true;
        throw error;
      }
      this.#failures.push({ error });
      if (!isLocalFailure(error)) this.#hopeless = true;
    }
    this.#landed += 1;
    this.#fetch.progress(() => ({
      table: this.#request.table.name,
      rows: this.#fetch.rows,
      callsDone: this.#landed,
      callsKnown: this.#waiting.length,
    }));
  }
}
