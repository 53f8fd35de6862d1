import type { Column } from '../../src/catalog/table.ts';
import type {
  CallContext,
  Condition,
  Exactness,
  LookupKey,
  LookupSource,
  Page,
  Predicate,
  ScanPlan,
  ScanRequest,
  ScanSource,
  SourceRecord,
} from '../../src/sources/source.ts';
import { groupsOf } from '../query/support/groups.ts';
import { orderedPages } from '../query/support/ordered-pages.ts';
import { CANONICAL } from './world.ts';

/** How much of what it is asked a source does itself. */
export type Pushdown = 'exact' | 'inexact' | 'none';

/** A scan over records in memory, which takes the predicates at their word: what they exclude is left out. */
export class OracleScan implements ScanSource {
  readonly kind = 'scan';
  pushdown: Pushdown = 'exact';
  scans = 0;
  readonly #records: readonly SourceRecord[];

  constructor(records: readonly SourceRecord[]) {
    this.#records = records;
  }

  plan(request: ScanRequest): ScanPlan {
    const exactness = (predicate: Predicate): Exactness =>
      this.pushdown === 'exact' && !isKnown(predicate) ? 'inexact' : this.pushdown;
    const pushed = request.predicates.map((predicate) => ({ predicate, exactness: exactness(predicate) }));
    const aggregation = this.pushdown === 'exact' ? 'exact' : 'none';
    const order = this.pushdown === 'none' ? 'none' : 'exact';
    return { pushed, aggregation, order, empty: false, parts: [], notices: [] };
  }

  async *scan(request: ScanRequest, context: CallContext): AsyncIterable<Page> {
    this.scans += 1;
    const wanted = this.pushdown === 'none' ? [] : request.predicates;
    const conditions = this.pushdown === 'none' ? [] : (request.conditions ?? []);
    const records = this.#records.filter(
      (record) =>
        wanted.every((predicate) => mayBeTrue(predicate, record)) &&
        conditions.every((condition) => mayHold(condition, record)),
    );
    // Which rows a LIMIT leaves is nobody's to say: the last ones show best what relies on the first.
    const { aggregation, limit, order } = request;
    if (order !== undefined) {
      yield* orderedPages(records, order, 2);
      return;
    }
    const page = aggregation === undefined ? records.reverse().slice(0, limit) : groupsOf(records, aggregation);
    yield await context.call({ key: 'memory', concurrency: 1 }, () => Promise.resolve({ records: page, bytes: 1 }));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function mayHold(condition: Condition, record: SourceRecord): boolean {
  switch (condition.kind) {
    case 'predicate':
      return condition.predicate.steps !== undefined || mayBeTrue(condition.predicate, record);
    case 'and':
      return condition.of.every((each) => mayHold(each, record));
    case 'or':
      return condition.of.some((each) => mayHold(each, record));
  }
}

/** Order of texts is the collation's, which is PostgreSQL's to know. */
function isKnown({ column, operator }: Predicate): boolean {
  return !(column.type === 'text' && ['<', '<=', '>', '>='].includes(operator));
}

function mayBeTrue(predicate: Predicate, record: SourceRecord): boolean {
  const { column, operator, values } = predicate;
  const value = valueOf(column, record);
  switch (operator) {
    case 'is null':
      return value === null;
    case 'is not null':
      return value !== null;
    case 'is true':
      return value === true;
    case 'is false':
      return value === false;
    case '=':
      return value !== null && values.some((each) => compared(column, value, each) === 0);
    case '<>':
      return value !== null && values.every((each) => compared(column, value, each) !== 0);
    case 'ilike':
    case '~':
    case '~*':
      return value !== null;
    case 'like':
    case 'not like':
      return value !== null && values.every((each) => likes(String(value), each) === (operator === 'like'));
    case '<':
    case '<=':
    case '>':
    case '>=': {
      if (value === null) return false;
      if (!isKnown(predicate)) return true;
      const order = compared(column, value, values[0] ?? '');
      if (order === 0) return operator.endsWith('=');
      return order < 0 === operator.startsWith('<');
    }
  }
}

function compared(column: Column, own: string | number | boolean, text: string): number {
  if (column.type === 'timestamp with time zone') return Math.sign(Date.parse(String(own)) - Number(text));
  if (typeof own === 'number') return Math.sign(own - Number(text));
  return String(own) === text ? 0 : 1;
}

function likes(value: string, pattern: string): boolean {
  const parts = pattern.replaceAll(/\\(.)|%|_|[^\\%_]/gsu, (part, escaped: string | undefined) => {
    if (part === '%') return '.*';
    if (part === '_') return '.';
    return (escaped ?? part).replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts}$`, 'su').test(value);
}

function valueOf(column: Column, record: SourceRecord): string | number | boolean | null {
  const read = (path: string): unknown =>
    path.startsWith('@')
      ? record.added[path.slice(1)]
      : path
          .split('.')
          .reduce<unknown>((at, name) => (at as Record<string, unknown> | null | undefined)?.[name], record.value);
  if (column.name === 'source_ip') return CANONICAL.get(String(read('sourceIPAddress'))) ?? null;
  if (column.path === undefined) throw new Error(`nobody says how ${column.name} is computed`);
  return (read(column.path) as string | number | boolean | null | undefined) ?? null;
}

/** Answers from a function; remembers each key that it was asked. */
export class OracleLookup implements LookupSource {
  readonly kind = 'lookup';
  readonly limit;
  readonly asked: string[] = [];
  readonly #answer: (key: string, since: string) => readonly SourceRecord[];
  readonly #isLocal: (key: string) => boolean;

  constructor(
    name: string,
    answer: (key: string, since: string) => readonly SourceRecord[],
    isLocal: (key: string) => boolean,
  ) {
    this.limit = { key: name, concurrency: 16 };
    this.#answer = answer;
    this.#isLocal = isLocal;
  }

  answerLocally({ key, inputs }: LookupKey): readonly SourceRecord[] | undefined {
    return this.#isLocal(key) ? this.#answer(key, inputs['since'] ?? '') : undefined;
  }

  lookup(
    { key, inputs }: LookupKey,
    _columns: readonly Column[],
    context: CallContext,
  ): Promise<readonly SourceRecord[]> {
    const { since } = inputs;
    return context.call(this.limit, () => {
      this.asked.push(since === undefined ? key : `${key} since ${since}`);
      return Promise.resolve(this.#answer(key, since ?? ''));
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
