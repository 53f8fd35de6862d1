import type { Pool } from '../engine/pool.ts';
import type { Logger } from '../kernel/log.ts';
import type { SourceRecord } from '../sources/source.ts';
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

/** More in one INSERT gains nothing; fewer would be a round trip a key. */
const BATCH = 200;

export function cacheKeyText(key: CacheKey): string {
  return `${key.table}\n${key.key}\n${key.inputs}`;
}

/** `trailhound.key_cache` in the engine: answers by key, shared by every process, alive after a restart. */
export class KeyCache {
  readonly #pool: Pool;
  readonly #log: Logger;
  #waiting = new Map<string, { key: CacheKey; answer: Answer }>();
  #writing: Promise<void> | undefined;

  constructor(pool: Pool, log: Logger) {
    this.#pool = pool;
    this.#log = log;
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
    this.#waiting.set(cacheKeyText(key), { key, answer });
    return this.flush();
  }

  /** Writes one batch after the other until nothing waits. */
  flush(): Promise<void> {
    return (this.#writing ??= this.#drain());
  }

  async #drain(): Promise<void> {
    // Answers that arrive in the same turn of the event loop share a batch.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting].slice(0, BATCH);
      for (const [text] of batch) this.#waiting.delete(text);
      await this.#insert(batch.map(([, entry]) => entry)).catch((error: unknown) => {
        this.#log.warn({ err: error, answers: batch.length }, 'answers could not be written to the key cache');
      });
    }
    // In the same turn as the last look at what waits: a later answer starts a new drain.
    this.#writing = undefined;
  }

  async #insert(entries: readonly { key: CacheKey; answer: Answer }[]): Promise<void> {
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
