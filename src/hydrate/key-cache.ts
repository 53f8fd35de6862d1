import type { Pool } from '../engine/pool.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import type { SourceRecord } from '../sources/source.ts';
import { exactJson, parseKept } from '../sources/exact-number.ts';
import { Batches } from './batches.ts';
import { shallow } from './nesting.ts';
import { storableJson } from './storable-text.ts';

/** What identifies an answer: the key, and everything that changes what is asked. */
export interface CacheKey {
  readonly table: string;
  readonly key: string;
  /** Sorted by name, as JSON: equal for equal inputs. */
  readonly inputs: string;
}

export interface Answer {
  /** Empty where the source knows nothing of the key: as much worth knowing. */
  readonly records: readonly SourceRecord[];
  /** When the source was asked, in milliseconds since the epoch: it answered later, and may have been read later still. */
  readonly fetchedAt: number;
}

interface StoredRecord {
  readonly value: unknown;
  readonly added?: Readonly<Record<string, unknown>>;
  readonly text?: string;
}

/** Equal for equal inputs. */
export function inputsText(inputs: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(inputs).sort(([left], [right]) => (left < right ? -1 : 1));
  return JSON.stringify(Object.fromEntries(sorted));
}

export function cacheKeyText(key: CacheKey): string {
  return `${key.table}\n${key.key}\n${key.inputs}`;
}

export interface KeyCacheOptions {
  readonly pool: Pool;
  readonly log: Logger;
  readonly clock: Clock;
  /** Of all answers together: what no statement has used for the longest time goes first. */
  readonly maxBytes: number;
}

/** That an answer was used is written down no more often than this. */
const USE_GRAIN_MS = 10 * 60_000;
/** How far a full cache is emptied, so that not every answer has to make room for itself. */
const KEPT_SHARE = 0.9;

/** `trailhound.key_cache` in the engine: answers by key, shared by every process, alive after a restart. */
export class KeyCache {
  readonly #pool: Pool;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #maxBytes: number;
  readonly #batches: Batches<{ readonly key: CacheKey; readonly answer: Answer }>;
  readonly #uses: Batches<CacheKey>;
  /** At most, as far as this process knows; undefined until it has looked. */
  #bytes: number | undefined;

  constructor({ pool, log, clock, maxBytes }: KeyCacheOptions) {
    this.#pool = pool;
    this.#clock = clock;
    this.#log = log;
    this.#maxBytes = maxBytes;
    this.#uses = new Batches({
      size: 1_000,
      write: (keys) => this.#markUsed(keys),
      lost: (error) => log.warn({ err: error }, 'uses of the key cache could not be written down'),
    });
    this.#batches = new Batches({
      size: 200,
      write: (entries) => this.#insert(entries),
      lost: (error, count) => log.warn({ err: error, answers: count }, 'answers could not be written to the key cache'),
    });
  }

  /** One query for all keys. The answers fetched at or after `since`, by the key's index. */
  async read(keys: readonly CacheKey[], since: number): Promise<ReadonlyMap<number, Answer>> {
    const { rows } = await this.#pool.query<{ n: string; records: string; fetched_at: number; stale: boolean }>(
      `select asked.n, cached.records::text as records, (extract(epoch from cached.fetched_at) * 1000)::float8 as fetched_at,
              cached.used_at < $5::timestamptz as stale
         from unnest($1::text[], $2::text[], $3::text[]) with ordinality as asked (table_name, key, inputs, n)
         join trailhound.key_cache as cached
           on cached.table_name = asked.table_name and cached.key = asked.key and cached.inputs = asked.inputs::jsonb
        where cached.fetched_at >= $4::timestamptz`,
      [...columnsOf(keys), timestamp(since), timestamp(this.#clock.now() - USE_GRAIN_MS)],
    );
    const answers = new Map<number, Answer>();
    for (const row of rows) {
      const fetchedAt = Math.round(row.fetched_at);
      const index = Number(row.n) - 1;
      const key = keys[index] as CacheKey;
      if (row.stale) void this.#uses.add(cacheKeyText(key), key);
      const origin = () => `the answer of ${timestamp(fetchedAt)} for ${key.key} in the cache of ${key.table}`;
      const stored = parseKept(row.records) as readonly StoredRecord[];
      const records = stored.map(({ value, added = {}, text }) => ({
        value,
        added,
        ...(text === undefined ? {} : { text }),
        origin,
      }));
      answers.set(index, { records, fetchedAt });
    }
    return answers;
  }

  /** Resolves once it is written, or could not be: that costs the answer nobody. */
  write(key: CacheKey, answer: Answer): Promise<void> {
    return this.#batches.add(cacheKeyText(key), { key, answer });
  }

  /**
   * Drops what no statement may be answered with any more. Answers of tables that are not among these (another process
   * may have them) go once they are older than any of these would be.
   */
  async clean(ttlMs: ReadonlyMap<string, number>, now: number): Promise<number> {
    if (ttlMs.size === 0) return 0;
    const longest = Math.max(...ttlMs.values());
    const { rowCount } = await this.#pool.query(
      `delete from trailhound.key_cache as cached
        where cached.fetched_at < coalesce(
          (select oldest from unnest($1::text[], $2::timestamptz[]) as limits (table_name, oldest)
            where limits.table_name = cached.table_name), $3::timestamptz)`,
      [[...ttlMs.keys()], [...ttlMs.values()].map((ttl) => timestamp(now - ttl)), timestamp(now - longest)],
    );
    // Others may have filled it.
    this.#bytes = undefined;
    await this.#makeRoom(0);
    return rowCount ?? 0;
  }

  async flush(): Promise<void> {
    await Promise.all([this.#batches.flush(), this.#uses.flush()]);
  }

  async #markUsed(keys: readonly CacheKey[]): Promise<void> {
    await this.#pool.query(
      `update trailhound.key_cache as cached set used_at = $4::timestamptz
         from unnest($1::text[], $2::text[], $3::text[]) as used (table_name, key, inputs)
        where cached.table_name = used.table_name and cached.key = used.key and cached.inputs = used.inputs::jsonb`,
      [...columnsOf(keys), timestamp(this.#clock.now())],
    );
  }

  async #makeRoom(written: number): Promise<void> {
    if (this.#bytes === undefined) {
      const { rows } = await this.#pool.query<{ bytes: number }>(
        'select coalesce(sum(bytes), 0)::float8 as bytes from trailhound.key_cache',
      );
      this.#bytes = rows[0]?.bytes ?? 0;
    } else this.#bytes += written;
    if (this.#bytes <= this.#maxBytes) return;
    this.#bytes = undefined;
    await this.#pool.query(
      `delete from trailhound.key_cache as cached
        using (select table_name, key, inputs,
                      sum(bytes) over (order by used_at desc, fetched_at desc, table_name, key, inputs) as bytes
                 from trailhound.key_cache) as counted
        where counted.bytes > $1 and cached.table_name = counted.table_name and cached.key = counted.key
          and cached.inputs = counted.inputs`,
      [Math.floor(this.#maxBytes * KEPT_SHARE)],
    );
  }

  async #insert(all: readonly { readonly key: CacheKey; readonly answer: Answer }[]): Promise<void> {
    const entries = all.flatMap(({ key, answer: { records, fetchedAt } }) => {
      const text = this.#textOf(key, records);
      return text === undefined ? [] : [{ key, text, fetchedAt }];
    });
    if (entries.length === 0) return;
    const { rows } = await this.#pool.query<{ bytes: number }>(
      `insert into trailhound.key_cache (table_name, key, inputs, records, fetched_at, used_at, bytes)
       select table_name, key, inputs, records, fetched_at, fetched_at,
              pg_column_size(key) + pg_column_size(inputs) + pg_column_size(records)
         from (select table_name, key, inputs::jsonb, records::jsonb, fetched_at::timestamptz
                 from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
                      as given (table_name, key, inputs, records, fetched_at)) as answer
       on conflict (table_name, key, inputs)
       do update set records = excluded.records, fetched_at = excluded.fetched_at, used_at = excluded.used_at,
                     bytes = excluded.bytes
       returning bytes`,
      [
        ...columnsOf(entries.map(({ key }) => key)),
        entries.map(({ text }) => text),
        entries.map(({ fetchedAt }) => timestamp(fetchedAt)),
      ],
    );
    const written = rows.reduce((sum, { bytes }) => sum + bytes, 0);
    await this.#makeRoom(written).catch((error: unknown) =>
      this.#log.warn({ err: error }, 'no room could be made in the key cache'),
    );
  }

  /** Undefined of what jsonb cannot hold: one such answer must not take others of its batch with it. */
  #textOf({ table, key }: CacheKey, records: readonly SourceRecord[]): string | undefined {
    try {
      return recordsText(records);
    } catch (error) {
      this.#log.warn({ err: error, table, key }, 'an answer is nested too deeply for the key cache');
      return undefined;
    }
  }
}

/** As three parameters, the arrays that a query unnests. */
function columnsOf(keys: readonly CacheKey[]): readonly [string[], string[], string[]] {
  return [keys.map(({ table }) => table), keys.map(({ key }) => key), keys.map(({ inputs }) => inputs)];
}

/** Throws NestedTooDeep, or a RangeError. */
function recordsText(records: readonly SourceRecord[]): string {
  const stored = records.map(({ value, added, text }): StoredRecord => ({
    value,
    ...(Object.keys(added).length === 0 ? {} : { added }),
    ...(text === undefined ? {} : { text }),
  }));
  // What is replaced here is counted where the row is made.
  return storableJson(shallow(exactJson(stored)), { count: 0 });
}

/** Of what lies before 1970, as whoever keeps answers for ever says, 1970: no answer is as old. */
function timestamp(milliseconds: number): string {
  return new Date(Math.max(0, milliseconds)).toISOString();
}
