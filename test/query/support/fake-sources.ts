import type { Column } from '../../../src/catalog/table.ts';
import type {
  CallContext,
  LookupKey,
  LookupSource,
  Page,
  ScanRequest,
  ScanSource,
  Source,
  SourceRecord,
} from '../../../src/sources/source.ts';

/** A scan over records in memory that pushes nothing down; remembers what it was asked. */
export class MemoryScan implements ScanSource {
  readonly kind = 'scan';
  readonly requests: ScanRequest[] = [];
  readonly #records: readonly SourceRecord[];

  constructor(records: readonly SourceRecord[]) {
    this.#records = records;
  }

  plan(request: ScanRequest) {
    const pushed = request.predicates.map((predicate) => ({ predicate, exactness: 'none' as const }));
    return { pushed, empty: false, parts: [], notices: [] };
  }

  async *scan(request: ScanRequest, context: CallContext): AsyncIterable<Page> {
    this.requests.push(request);
    yield await context.call({ key: 'memory', concurrency: 1 }, () =>
      Promise.resolve({ records: this.#records, bytes: 1 }),
    );
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Answers from a function; remembers each key it was asked. */
export class MemoryLookup implements LookupSource {
  readonly kind = 'lookup';
  readonly limit = { key: 'memory-lookup', concurrency: 16 };
  readonly asked: LookupKey[] = [];
  readonly #answer: (key: LookupKey) => object;
  readonly #isLocal: (key: string) => boolean;

  constructor(answer: (key: LookupKey) => object, isLocal: (key: string) => boolean) {
    this.#answer = answer;
    this.#isLocal = isLocal;
  }

  answerLocally(key: LookupKey): readonly SourceRecord[] | undefined {
    return this.#isLocal(key.key) ? [recordOf(this.#answer(key))] : undefined;
  }

  lookup(key: LookupKey, _columns: readonly Column[], context: CallContext): Promise<readonly SourceRecord[]> {
    return context.call(this.limit, () => {
      this.asked.push(key);
      return Promise.resolve([recordOf(this.#answer(key))]);
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

export function recordOf(value: object, added: Record<string, unknown> = {}): SourceRecord {
  return { value, added, text: JSON.stringify(value), origin: () => 'a record in memory' };
}

export type Sources = ReadonlyMap<string, Source>;
