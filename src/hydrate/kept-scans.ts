import { abortable } from '../kernel/abort.ts';
import type { Clock } from '../kernel/clock.ts';
import type { KeptAs, ScanRequest, ScanSource, SourceRecord } from '../sources/source.ts';
import type { Fetch } from './fetch.ts';
import type { Answer, CacheKey, KeyCache } from './key-cache.ts';
import { inputsText } from './key-cache.ts';

/** More records than these are not kept: one value of jsonb holds them all. */
const MOST = 100_000;

/** Answers of one scan in the key cache, as far as its source lets them be kept. */
export class KeptScans {
  readonly #cache: KeyCache;
  readonly #clock: Clock;
  readonly #request: ScanRequest;
  readonly #keys: readonly CacheKey[];
  readonly #records: SourceRecord[] = [];

  constructor(cache: KeyCache, clock: Clock, source: ScanSource, request: ScanRequest) {
    const { table } = request;
    this.#cache = cache;
    this.#clock = clock;
    this.#request = request;
    const mayKeep = table.ttlMs > 0 && request.aggregation === undefined;
    const keptAs = mayKeep ? (source.keptAs?.(request) ?? []) : [];
    this.#keys = keptAs.map(({ key, inputs }: KeptAs) => ({ table: table.name, key, inputs: inputsText(inputs) }));
  }

  /** The first that will do; undefined where none is kept that is young enough. */
  async find({ statement, signal }: Fetch): Promise<Answer | undefined> {
    const { cache, sources, cacheMaxAgeMs } = statement.settings;
    const notOlder = Math.min(this.#request.table.ttlMs, cacheMaxAgeMs ?? Number.POSITIVE_INFINITY);
    if (this.#keys.length === 0 || notOlder <= 0 || !(cache || sources === 'cache')) return undefined;
    const since = Math.max(0, this.#clock.now() - notOlder);
    const answers = await abortable(this.#cache.read(this.#keys, since), signal);
    return this.#keys.map((_key, index) => answers.get(index)).find((answer) => answer !== undefined);
  }

  /** Records on their way to the statement. */
  add(records: readonly SourceRecord[]): void {
    if (this.#keys.length > 0 && this.#records.length <= MOST) this.#records.push(...records);
  }

  /** The scan has come to its end: they are all. */
  async keep(): Promise<void> {
    const own = this.#keys.at(-1);
    if (own === undefined || this.#records.length > MOST) return;
    await this.#cache.write(own, { records: this.#records, fetchedAt: this.#clock.now() });
  }
}
