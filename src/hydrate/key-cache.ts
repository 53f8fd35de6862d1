import type { Pool } from '../engine/pool.ts';
import type { Logger } from '../kernel/log.ts';
import type { SourceRecord } from '../sources/source.ts';
import { Batches } from './batches.ts';
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
  /** When the source answered, in milliseconds since the epoch. */
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

/** `trailhound.key_cache` in the engine: answers by key, shared by every process, alive after a restart. */
export class KeyCache {
  readonly #pool: Pool;
  readonly #batches: Batches<{ readonly key: CacheKey; readonly answer: Answer }>;

  constructor(pool: Pool, log: Logger) {
    this.#pool = pool;
    this.#batches = new Batches({
      size: 200,
      write: (entries) => this.#insert(entries),
      lost: (error, count) => log.warn({ err: error, answers: count }, 'answers could not be written to the key cache'),
    });
  }

  /** One query for all keys. The answers fetched at or after `since`, by the key's index. */
  async read(keys: readonly CacheKey[], since: number): Promise<ReadonlyMap<number, Answer>> {
    const { rows } = await this.#pool.query<{ n: string; records: string; fetched_at: number }>(
      `select asked.n, cached.records::text as records, (extract(epoch from cached.fetched_at) * 1000)::float8 as fetched_at
         from unnest($1::text[], $2::text[], $3::text[]) with ordinality as asked (table_name, key, inputs, n)
         join trailhound.key_cache as cached
           on cached.table_name = asked.table_name and cached.key = asked.key and cached.inputs = asked.inputs::jsonb
        where cached.fetched_at >= $4::timestamptz`,
      [keys.map((key) => key.table), keys.map((key) => key.key), keys.map((key) => key.inputs), timestamp(since)],
    );
    const answers = new Map<number, Answer>();
    for (const row of rows) {
      const fetchedAt = Math.round(row.fetched_at);
      const index = Number(row.n) - 1;
      const key = keys[index] as CacheKey;
      const origin = () => `the answer of ${timestamp(fetchedAt)} for ${key.key} in the cache of ${key.table}`;
      const stored = JSON.parse(row.records) as readonly StoredRecord[];
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
    return rowCount ?? 0;
  }

  flush(): Promise<void> {
    return this.#batches.flush();
  }

  async #insert(entries: readonly { readonly key: CacheKey; readonly answer: Answer }[]): Promise<void> {
    await this.#pool.query(
      `insert into trailhound.key_cache (table_name, key, inputs, records, fetched_at)
       select table_name, key, inputs::jsonb, records::json, fetched_at::timestamptz
         from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
              as answer (table_name, key, inputs, records, fetched_at)
       on conflict (table_name, key, inputs)
       do update set records = excluded.records, fetched_at = excluded.fetched_at`,
      [
        entries.map(({ key }) => key.table),
        entries.map(({ key }) => key.key),
        entries.map(({ key }) => key.inputs),
        entries.map(({ answer }) => recordsText(answer.records)),
        entries.map(({ answer }) => timestamp(answer.fetchedAt)),
      ],
    );
  }
}

function recordsText(records: readonly SourceRecord[]): string {
  const stored = records.map(({ value, added, text }): StoredRecord => ({
    value,
    ...(Object.keys(added).length === 0 ? {} : { added }),
    ...(text === undefined ? {} : { text }),
  }));
  // What is replaced here is counted where the row is made.
  return storableJson(JSON.stringify(stored), { count: 0 });
}

function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
