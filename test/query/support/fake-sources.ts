import type { Column } from '../../../src/catalog/table.ts';
import type {
  CallContext,
  Condition,
  Exactness,
  LookupKey,
  LookupSource,
  Page,
  Predicate,
  ScanRequest,
  ScanSource,
  Source,
  SourceRecord,
} from '../../../src/sources/source.ts';
import { groupsOf } from './groups.ts';
import { orderedPages } from './ordered-pages.ts';

/** A scan over records in memory that leaves out what the predicates exclude; remembers what it was asked. */
export class MemoryScan implements ScanSource {
  readonly kind = 'scan';
  readonly requests: ScanRequest[] = [];
  /** What it says of orders. */
  order: 'exact' | 'none' = 'none';
  /** Records that the consumer has taken, of all requests. */
  read = 0;
  readonly #records: readonly SourceRecord[];
  readonly #exactness: Exactness;

  readonly #aggregation: 'exact' | 'none';

  /**
   * @param exactness what it says of each predicate
   * @param aggregation what it says of aggregates
   */
  constructor(
    records: readonly SourceRecord[],
    exactness: Exactness = 'inexact',
    aggregation: 'exact' | 'none' = 'none',
  ) {
    this.#records = records;
    this.#exactness = exactness;
    this.#aggregation = aggregation;
  }

  plan(request: ScanRequest) {
    const pushed = request.predicates.map((predicate) => ({ predicate, exactness: this.#exactness }));
    return { pushed, aggregation: this.#aggregation, order: this.order, empty: false, parts: [], notices: [] };
  }

  async *scan(request: ScanRequest, context: CallContext): AsyncIterable<Page> {
    this.requests.push(request);
    const { aggregation, order } = request;
    const matching = this.#records.filter((record) => isAsked(record, request));
    if (order !== undefined) {
      for (const page of orderedPages(matching, order, 4)) {
        this.read += page.records.length;
        yield await context.call({ key: 'memory', concurrency: 1 }, () => Promise.resolve(page));
      }
      return;
    }
    this.read += matching.length;
    const records = aggregation === undefined ? matching : groupsOf(matching, aggregation);
    yield await context.call({ key: 'memory', concurrency: 1 }, () => Promise.resolve({ records, bytes: 1 }));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function isAsked(record: SourceRecord, { predicates, conditions = [] }: ScanRequest): boolean {
  return mayMatch(record, predicates) && conditions.every((condition) => mayHold(record, condition));
}

function mayHold(record: SourceRecord, condition: Condition): boolean {
  switch (condition.kind) {
    case 'predicate':
      return mayMatch(record, [condition.predicate]);
    case 'and':
      return condition.of.every((each) => mayHold(record, each));
    case 'or':
      return condition.of.some((each) => mayHold(record, each));
  }
}

/** False only where a predicate is surely not true of the record, so that a planner that says too much is caught. */
function mayMatch(record: SourceRecord, predicates: readonly Predicate[]): boolean {
  return predicates.every(({ column, steps = [], operator, values }) => {
    const isWhole = column.path === '@record';
    if (column.path === undefined || (column.path.startsWith('@') && !isWhole)) return true;
    const value = [...(isWhole ? [] : column.path.split('.')), ...steps].reduce<unknown>(
      (at, name) => (at as Record<string | number, unknown> | null | undefined)?.[name],
      record.value,
    );
    const isNull = value === undefined || value === null;
    if (operator === 'is null') return isNull;
    if (isNull) return false;
    if (operator === 'is not null') return true;
    const timed = column.type === 'timestamp with time zone';
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const own = timed ? Date.parse(text) : typeof value === 'number' ? value : text;
    const compared = values.map((each) => (typeof own === 'number' ? Number(each) : each));
    switch (operator) {
      case '=':
        return compared.includes(own);
      case '<>':
        return !compared.includes(own);
      case '<':
        return timed ? compared.every((each) => own < each) : true;
      case '<=':
        return timed ? compared.every((each) => own <= each) : true;
      case '>':
        return timed ? compared.every((each) => own > each) : true;
      case '>=':
        return timed ? compared.every((each) => own >= each) : true;
      case 'is true':
        return own === 'true';
      case 'is false':
        return own === 'false';
      case 'ilike':
      case '~':
      case '~*':
        return true;
      case 'like':
      case 'not like':
        return values.every((pattern) => isLike(pattern, String(own)) === (operator === 'like'));
    }
  });
}

function isLike(pattern: string, text: string): boolean {
  const parts = pattern.match(/\\.|[^]/g) ?? [];
  const literally = (part: string) => part.replace(/^\\(?=.)/, '').replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  const body = parts.map((part) => (part === '%' ? '.*' : part === '_' ? '.' : literally(part)));
  return new RegExp(`^${body.join('')}$`, 's').test(text);
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
