import { abortable } from '../kernel/abort.ts';
import type { Clock } from '../kernel/clock.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import type { CallContext, LookupKey, LookupSource, SourceRecord } from '../sources/source.ts';
import type { CallScheduler } from './call-scheduler.ts';
import type { Fetch } from './fetch.ts';
import type { Ask, Flights, Ticket } from './flights.ts';
import type { LookupRequest } from './hydrator.ts';
import type { Answer, CacheKey, KeyCache } from './key-cache.ts';
import { cacheKeyText, inputsText } from './key-cache.ts';
import { overQuota } from './over-quota.ts';
import type { QuotaClaim, QuotaLedger } from './quota-ledger.ts';
import { isLocalFailure, toStatementError } from './source-failure.ts';

export interface LookupParts {
  readonly scheduler: CallScheduler;
  readonly flights: Flights;
  readonly cache: KeyCache;
  readonly quotas: QuotaLedger;
  readonly clock: Clock;
  readonly spent: Spent;
}

/** What a statement has asked so far, over all its references and the levels of its recursions. */
export interface Spent {
  /** Look-ups that it has started or means to: trailhound.max_lookups bounds their sum. */
  lookups: number;
  /** One key is one call a statement, and has one answer in it, whatever the cache says. */
  readonly answers: Map<string, Answer>;
}

/** One key on its way to its rows. */
interface Asked {
  readonly key: LookupKey;
  readonly cacheKey: CacheKey;
  readonly id: string;
  answer?: Answer;
  ticket?: Ticket;
}

/**
 * Answers every key: by what the source knows without a call, the key cache, a call that is on its way for somebody
 * else, or a call of its own, in this order. Rows come in the order of the keys.
 */
export async function fillLookup(
  source: LookupSource,
  request: LookupRequest,
  fetch: Fetch,
  parts: LookupParts,
): Promise<void> {
  const keyName = request.table.columns.find((column) => column.key === 'required')?.name ?? 'key';
  fetch.pushed = [`${keyName}: ${request.keys.length} values of ${request.keyExpression}`];
  const variant = source.variant?.(request.columns);
  const local = new Map<LookupKey, readonly SourceRecord[]>();
  const asked: Asked[] = [];
  for (const key of request.keys) {
    const records = source.answerLocally(key);
    if (records !== undefined) local.set(key, records);
    else asked.push(toAsked(request.table.name, key, variant));
  }
  let quota: QuotaClaim | undefined;
  const leave = () => {
    quota?.release();
    for (const one of asked) one.ticket?.leave();
  };
  // At once, not a few turns later: nothing may start after an abort.
  fetch.signal.addEventListener('abort', leave, { once: true });
  try {
    await claim(asked, request, fetch, parts);
    quota = await claimQuota(source, asked, request, fetch, parts);
    const calls = new Calls(source, request, fetch, parts, asked, quota);
    const write = async () => {
      let next = 0;
      for (const key of request.keys) {
        const records = local.get(key);
        if (records !== undefined) {
          await fetch.add(records.map((record) => echo(record, keyName, key, undefined)));
          continue;
        }
        const one = asked[next++] as Asked;
        const answer = one.answer ?? (await calls.answerOf(one));
        if (answer === undefined) continue;
        parts.spent.answers.set(one.id, answer);
        await fetch.add(answer.records.map((record) => echo(record, keyName, key, answer.fetchedAt)));
      }
    };
    await Promise.all([calls.work(), write()]);
    if (calls.started > 0) await abortable(parts.cache.flush(), fetch.signal);
    calls.reportMissing();
  } finally {
    fetch.signal.removeEventListener('abort', leave);
    leave();
  }
}

function toAsked(table: string, key: LookupKey, variant: string | undefined): Asked {
  // `@` cannot begin the name of a column that is an input.
  const inputs = inputsText({ ...key.inputs, ...(variant !== undefined && { '@variant': variant }) });
  const cacheKey = { table, key: key.key, inputs };
  return { key, cacheKey, id: cacheKeyText(cacheKey) };
}

/** Paths `@key`, `@<key column>` and `@<input>` echo what was asked, whatever the service calls it. */
function echo(record: SourceRecord, keyName: string, key: LookupKey, fetchedAt: number | undefined): SourceRecord {
  const fetched = fetchedAt === undefined ? undefined : { fetched_at: fetchedAt };
  return { ...record, added: { ...fetched, ...record.added, key: key.key, [keyName]: key.key, ...key.inputs } };
}

/** Gives each key its cached answer or a ticket for a call; fails before any call where there would be too many. */
async function claim(asked: readonly Asked[], request: LookupRequest, fetch: Fetch, parts: LookupParts): Promise<void> {
  const { statement, tally } = fetch;
  const { settings } = statement;
  const { table } = request;
  const notOlder = Math.min(table.ttlMs, settings.cacheMaxAgeMs ?? Infinity);
  const cached = (settings.cache || settings.sources === 'cache') && notOlder > 0;
  const read = parts.flights.beginRead();
  try {
    for (const one of asked) {
      const answer = parts.spent.answers.get(one.id);
      if (answer !== undefined) one.answer = answer;
    }
    const unknown = asked.filter((one) => one.answer === undefined);
    if (cached && unknown.length > 0) {
      const since = Math.max(0, parts.clock.now() - notOlder);
      const answers = await abortable(
        parts.cache.read(
          unknown.map((one) => one.cacheKey),
          since,
        ),
        fetch.signal,
      );
      for (const [index, answer] of answers) (unknown[index] as Asked).answer = answer;
      tally.cacheHits += answers.size;
    }
    const missing = asked.filter((one) => one.answer === undefined);
    if (settings.sources === 'cache') {
      if (missing.length > 0) {
        statement.notice(
          'NOTICE',
          `${missing.length} of ${request.keys.length} keys of ${table.name} are not cached, and trailhound.sources is cache: they were not asked`,
        );
      }
      return;
    }
    const needed = missing.filter((one) => !parts.flights.has(one.id, cached)).length;
    if (parts.spent.lookups + needed > settings.maxLookups) {
      const known = `${request.keys.length - needed} of them need no call, because they are cached or known. ${callsBefore(parts.spent)}`;
      throw overBudget(parts.spent.lookups + needed, settings.maxLookups, request, known);
    }
    for (const one of missing) {
      one.ticket = parts.flights.join(one.id, cached, (severity, message) => statement.notice(severity, message));
    }
    // Set aside for them: what others mean to ask must not use it up.
    parts.spent.lookups += needed;
  } finally {
    read.end();
  }
}

/** Sets the calls aside that nobody else means to make; fails where fewer remain. */
async function claimQuota(
  { quota }: LookupSource,
  asked: readonly Asked[],
  request: LookupRequest,
  { signal }: Fetch,
  { quotas }: LookupParts,
): Promise<QuotaClaim | undefined> {
  if (quota === undefined) return undefined;
  const own = () => asked.filter((one) => isFirst(one) && one.ticket?.flight.state === 'queued').length;
  for (let needed = own(); needed > 0;) {
    const decided = await quotas.claim(quota, needed, signal);
    if (decided.granted) return decided;
    // Others who wait for the same keys may have asked meanwhile.
    const still = own();
    if (still >= needed) throw overQuota(quota, needed, decided, request);
    needed = still;
  }
  return undefined;
}

function callsBefore({ lookups }: Spent): string {
  return lookups === 0 ? 'No call was made.' : `The statement has made ${lookups} calls before these.`;
}

function overBudget(needed: number, allowed: number, request: LookupRequest, known: string): TrailhoundError {
  const { table, keys, keyExpression } = request;
  return new TrailhoundError(
    'lookup_budget',
    `${needed} lookups needed, ${allowed} allowed by trailhound.max_lookups`,
    {
      detail: `${table.name} is asked for ${keys.length} distinct values of ${keyExpression}; ${known}`,
      hint: `Narrow what ${keyExpression} is read from, by a condition or by a LIMIT in a derived table, or raise the limit: set trailhound.max_lookups = ${needed}.`,
    },
  );
}

function isFirst({ ticket }: Asked): boolean {
  return ticket?.first === true;
}

/** The calls of one look-up: as many at once as the session allows, each key by whichever statement comes to it first. */
class Calls {
  started = 0;
  readonly #source: LookupSource;
  readonly #request: LookupRequest;
  readonly #fetch: Fetch;
  readonly #parts: LookupParts;
  readonly #waiting: readonly Asked[];
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
    asked: readonly Asked[],
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
  async answerOf(one: Asked): Promise<Answer | undefined> {
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

  async #worker(queue: Iterator<Asked>): Promise<void> {
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
      else await ticket.flight.start((signal, notice) => this.#ask(one, signal, notice));
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

  async #ask(one: Asked, signal: AbortSignal, notice: CallContext['notice']): ReturnType<Ask> {
    const { scheduler, cache, clock, quotas } = this.#parts;
    const { table, columns } = this.#request;
    const { tally, statement } = this.#fetch;
    const { partial } = statement.settings;
    const quota: CallContext['quota'] = (...said) => quotas.seen(...said);
    const context = scheduler.context({ source: table.source, signal, tally, partial, quota, notice });
    const asking = this.#source.lookup(one.key, columns, context);
    const records = await asking.finally(() => {
      if (isFirst(one)) this.#quota?.spend();
    });
    const answer = { records, fetchedAt: clock.now() };
    return { answer, kept: table.ttlMs > 0 ? cache.write(one.cacheKey, answer) : Promise.resolve() };
  }

  async #watch(one: Asked): Promise<void> {
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
