import { abortable } from '../kernel/abort.ts';
import type { Clock } from '../kernel/clock.ts';
import type { KeptAs, ScanRequest, ScanSource, SourceRecord } from '../sources/source.ts';
import type { Fetch } from './fetch.ts';
import { FRESH } from './flights.ts';
import type { KeyClaims, Taken } from './key-claims.ts';
import type { Answer, CacheKey, KeyCache } from './key-cache.ts';
import { cacheKeyText, inputsText } from './key-cache.ts';
import type { Turns } from './turns.ts';

/** More records than these are not kept: one value of jsonb holds them all. */
const MOST = 100_000;

export interface KeptScansOptions {
  readonly cache: KeyCache;
  readonly clock: Clock;
  /** Of the statements of this process. */
  readonly turns: Turns;
  /** Of processes, where there may be others. */
  readonly claims: KeyClaims | undefined;
}

/** Another statement has asked meanwhile, or this one is to ask, while no other does until `release`. */
export type Turn = { readonly answer: Answer } | { readonly answer: undefined; readonly release: () => void };

const OURS: Turn = { answer: undefined, release: () => undefined };

function answered(answer: Answer): Taken {
  return { kind: 'answered', answer };
}

/** Answers of one scan in the key cache, as far as its source lets them be kept. */
export class KeptScans {
  readonly #options: KeptScansOptions;
  readonly #request: ScanRequest;
  readonly #keys: readonly CacheKey[];
  readonly #records: SourceRecord[] = [];
  #begunAt: number;

  constructor(options: KeptScansOptions, source: ScanSource, request: ScanRequest) {
    const { table } = request;
    this.#options = options;
    this.#request = request;
    this.#begunAt = options.clock.now();
    const mayKeep = table.ttlMs > 0 && request.aggregation === undefined;
    const keptAs = mayKeep ? (source.keptAs?.(request) ?? []) : [];
    this.#keys = keptAs.map(({ key, inputs }: KeptAs) => ({ table: table.name, key, inputs: inputsText(inputs) }));
  }

  /** The first that will do; undefined where none is kept that is young enough. */
  async find({ statement, signal }: Fetch): Promise<Answer | undefined> {
    const since = this.#since(statement.settings);
    if (since === undefined) return undefined;
    const answers = await abortable(this.#options.cache.read(this.#keys, since), signal);
    return this.#keys.map((_key, index) => answers.get(index)).find((answer) => answer !== undefined);
  }

  /** Waits while another statement asks for the same: a free key of AbuseIPDB has five calls a day. */
  async turn(fetch: Fetch): Promise<Turn> {
    const { turns, claims } = this.#options;
    const own = this.#keys.at(-1);
    const { settings } = fetch.statement;
    if (own === undefined || this.#since(settings) === undefined) return OURS;
    const end = await turns.take(cacheKeyText(own), fetch.signal);
    try {
      const answer = await this.find(fetch);
      const since = () => this.#since(settings) ?? FRESH;
      const taken = answer === undefined ? await claims?.take(own, since, fetch.signal) : answered(answer);
      if (taken?.kind === 'answered') {
        end();
        return { answer: taken.answer };
      }
      const release = () => {
        taken?.release();
        end();
      };
      this.#begunAt = this.#options.clock.now();
      return { answer: undefined, release };
    } catch (error) {
      end();
      throw error;
    }
  }

  /** Which answers will do; undefined: none. */
  #since({ cache, sources, cacheMaxAgeMs }: Fetch['statement']['settings']): number | undefined {
    const notOlder = Math.min(this.#request.table.ttlMs, cacheMaxAgeMs ?? Number.POSITIVE_INFINITY);
    if (this.#keys.length === 0 || notOlder <= 0 || !(cache || sources === 'cache')) return undefined;
    return Math.max(0, this.#options.clock.now() - notOlder);
  }

  /** Records on their way to the statement. */
  add(records: readonly SourceRecord[]): void {
    if (this.#keys.length > 0 && this.#records.length <= MOST) this.#records.push(...records);
  }

  /** The scan has come to its end: they are all. */
  async keep(): Promise<void> {
    const own = this.#keys.at(-1);
    if (own === undefined || this.#records.length > MOST) return;
    await this.#options.cache.write(own, { records: this.#records, fetchedAt: this.#begunAt });
  }
}
