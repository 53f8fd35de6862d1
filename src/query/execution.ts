import type { VirtualTable } from '../catalog/table.ts';
import type {
  FetchStatistics,
  HydratedRows,
  Hydrator,
  Row,
  StatementContext,
  StoredColumn,
} from '../hydrate/hydrator.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import { placeholder, type Reference, type Statement } from '../planner/statement.ts';
import type { Growth } from '../planner/growing.ts';
import type { Plan } from '../planner/plan.ts';
import { lookupsIn, type RecursionStep, type Step } from '../planner/steps.ts';
import type { Predicate, Source } from '../sources/source.ts';
import { parseKept } from '../sql/parse.ts';
import { quoteIdent, replaceBytes, Slices, type Replacement } from '../sql/substitute.ts';
import { bare, walk } from '../sql/walk.ts';
import type { ClientBackend, InjectedResult, Parameter } from './backend.ts';
import type { KnownRestrictions } from './constants.ts';
import { columnTypesSql } from './column-types.ts';
import { withInputs } from './lookup-keys.ts';
import { MAX_SCAN_KEYS, narrow } from './scan-keys.ts';
import { referenceText, unqualifiedColumns } from './reference-text.ts';
import { scanRequest } from './scan-request.ts';
import { referenceSql, storedSql } from './hydrated-sql.ts';
import { ParameterList } from './parameters.ts';
import { recurse, type Evaluated } from './recursion.ts';
import { together, type ServedRows } from './served-rows.ts';
import { SharedRequests } from './shared-requests.ts';

type Lookup = Extract<Step, { kind: 'lookup' }>;
type Scan = Extract<Step, { kind: 'scan' }>;
type Evaluate = Extract<Step, { kind: 'evaluate' }>;

/** pg_type's oids of record and record[]. */
const ANONYMOUS: ReadonlySet<number> = new Set([2249, 2287]);

/** The client's own parameters. */
export interface ClientParameters {
  readonly types: readonly number[];
  readonly values: readonly Parameter[];
}

interface Filled {
  readonly rows: HydratedRows | 'empty';
  readonly guard: Guard | undefined;
  /** Of a look-up. */
  readonly keys?: readonly string[];
}

/** A condition that fails the statement, and the stored keys that it reads: COPY takes no parameters. */
interface Guard {
  readonly known: readonly HydratedRows[];
  readonly sql: (parameters: ParameterList) => string;
}

/** Far beyond any budget of calls; each is held as a text. */
const MAX_KEYS = 250_000;
/** What LIMIT, DISTINCT ON and the like usually leave is a page; the rows are held here on their way. */
const MAX_EVALUATED_ROWS = 250_000;

/** Runs one plan: fills its references in order, and writes the statement that reads them. */
export class Execution {
  readonly #plan: Plan;
  readonly #restrictions: ReadonlyMap<Reference, KnownRestrictions>;
  readonly #hydrator: Hydrator;
  readonly #backend: ClientBackend;
  readonly #context: StatementContext;
  readonly #client: ClientParameters;
  readonly #abort: (reason: unknown) => void;
  readonly #sourceOf: (name: string) => Source | undefined;
  readonly #shared: SharedRequests;
  readonly #sharedScans = new Map<VirtualTable, Promise<HydratedRows>>();
  readonly #oneSnapshot: boolean;
  readonly #given: ReadonlyMap<Reference, ServedRows>;
  readonly #filled = new Map<string, Filled & { readonly reference: Reference }>();
  readonly #evaluated = new Map<string, Evaluated>();
  readonly #statistics = new Map<Reference, FetchStatistics>();

  constructor(options: {
    plan: Plan;
    restrictions: ReadonlyMap<Reference, KnownRestrictions>;
    hydrator: Hydrator;
    backend: ClientBackend;
    context: StatementContext;
    client: ClientParameters;
    sourceOf: (name: string) => Source | undefined;
    /** Aborts the context's signal. */
    abort: (reason: unknown) => void;
    references: readonly Reference[];
    /** The statement sees what the key queries saw. */
    oneSnapshot: boolean;
    /** Rows that were hydrated for the statement that scans. */
    given?: ReadonlyMap<Reference, ServedRows>;
  }) {
    this.#abort = options.abort;
    this.#sourceOf = options.sourceOf;
    this.#plan = options.plan;
    this.#restrictions = options.restrictions;
    this.#hydrator = options.hydrator;
    this.#backend = options.backend;
    this.#context = options.context;
    this.#client = options.client;
    this.#shared = new SharedRequests(options.references, options.restrictions);
    this.#oneSnapshot = options.oneSnapshot;
    this.#given = options.given ?? new Map();
  }

  async run(): Promise<void> {
    for (const reference of this.#plan.dead) await this.#fill(reference, { rows: 'empty', guard: undefined });
    // Scans run together, but for those that wait for values of others; each later step may read what came before it.
    const scans = this.#plan.steps.filter((step) => step.kind === 'scan');
    const done = new Map<Reference, Promise<void>>();
    const scanning = scans.map((step) => {
      const before = step.keys.flatMap(({ reads }) => [...reads].flatMap((reference) => done.get(reference) ?? []));
      const own = this.#scanAfter(before, step);
      done.set(step.reference, own);
      return own;
    });
    await Promise.allSettled(scanning);
    await Promise.all(scanning);
    const { steps } = this.#plan;
    const growth = this.#growth();
    const at = growth === undefined ? steps.length : steps.indexOf(growth.step);
    await this.#perform(steps.slice(0, at));
    if (growth !== undefined) await this.#grow(growth, steps.slice(at));
  }

  /** What costs no call is asked at once; so are keys that may fail, each of which a WARNING counts. */
  #growth(): Growth | undefined {
    const { growth } = this.#plan;
    const { sources, partial } = this.#context.settings;
    return growth?.step.kind === 'lookup' && (sources !== 'live' || partial) ? undefined : growth;
  }

  /** What comes after the step that grows is done anew each time, because it may read from it. */
  async #grow({ step, probe }: Growth, steps: readonly Step[]): Promise<void> {
    for await (const state of step.kind === 'recursion' ? this.#recurse(step) : this.#lookUpInBatches(step)) {
      await this.#perform(steps.slice(1));
      if (state === 'last') continue;
      const { rows } = await this.#runOwn(probe, 1);
      if (rows[0]?.[0] === 't') return;
      for (const { reference } of lookupsIn(steps)) this.#forgetRows(reference);
    }
  }

  /** The same keys again cost no call. */
  async *#lookUpInBatches(step: Lookup): AsyncGenerator<'more' | 'last'> {
    const { concurrency, maxLookups } = this.#context.settings;
    const keys = await this.#keysOf(step);
    for (let count = concurrency; count < keys.length; count = nextCount(count, maxLookups)) {
      await this.#ask(step, keys.slice(0, count));
      yield 'more';
    }
    await this.#ask(step, keys);
    yield 'last';
  }

  /** Scans have been read before. */
  async #perform(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      this.#context.signal.throwIfAborted();
      switch (step.kind) {
        case 'scan':
          break;
        case 'refuse':
          await this.#fill(step.unbounded, { rows: 'empty', guard: undefined });
          break;
        case 'lookup':
          await this.#lookup(step);
          break;
        case 'evaluate':
          await this.#evaluate(step);
          break;
        case 'recursion':
          for await (const _level of this.#recurse(step));
      }
    }
  }

  async #scanAfter(before: readonly Promise<void>[], step: Scan): Promise<void> {
    try {
      await Promise.all(before);
      this.#context.signal.throwIfAborted();
      await this.#scan(step);
    } catch (error) {
      // The statement fails with the first of them: nobody waits for the others.
      this.#abort(error);
      throw error;
    }
  }

  async release(): Promise<void> {
    const filled = [...this.#filled.values()].flatMap(rowsOf);
    const evaluated = [...this.#evaluated.values()].flatMap(({ parts }) => parts);
    await Promise.all([...filled, ...evaluated].map((rows) => rows.release()));
  }

  /** What each reference has cost so far; undefined for one that was not fetched. */
  statisticsOf(reference: Reference): FetchStatistics | undefined {
    return this.#statistics.get(reference);
  }

  /** The client's statement with its references replaced. */
  finalStatement(text: string, statement: Statement): { text: string; parameters: ParameterList } {
    const parameters = this.#newParameters();
    const slices = new Slices(text);
    const replacements: Replacement[] = [];
    for (const step of this.#plan.steps) {
      if (step.kind !== 'evaluate' && step.kind !== 'recursion') continue;
      const own = this.#evaluatedSql(placeholder('level', step.id), parameters);
      if (own !== undefined) replacements.push(slices.subquery(step.node, own));
    }
    const isReplaced = (at: number): boolean => replacements.some(({ start, end }) => at >= start && at < end);
    for (const { node, row } of this.#plan.paddings) replacements.push(...slices.padding(node, row));
    for (const reference of statement.references) {
      if (reference.below) continue;
      if (isReplaced(reference.location)) continue;
      const own = this.#referenceSql(placeholder('reference', reference.id), parameters);
      if (own === undefined) throw new Error('a reference was not filled');
      replacements.push(referenceText(reference, own, slices));
    }
    replacements.push(...unqualifiedColumns(statement.references, statement, slices));
    return { text: replaceBytes(text, replacements), parameters };
  }

  async #scan({ reference, keys }: Scan): Promise<void> {
    const known = this.#restrictions.get(reference);
    if (known?.contradiction === true) {
      await this.#fill(reference, { rows: 'empty', guard: undefined });
      return;
    }
    if (reference.below) {
      const { table } = reference.view;
      // Fetched once, for whichever of its mentions is scanned.
      const shared = this.#sharedScans.get(table) ?? this.#fetchScan(reference);
      this.#sharedScans.set(table, shared);
      await this.#fill(reference, { rows: await shared, guard: undefined });
      return;
    }
    const narrowed = await narrow(
      keys,
      (query) => this.#runOwn(query, MAX_SCAN_KEYS),
      (predicate) => this.#isTaken(reference, predicate),
    );
    const predicates = narrowed.map(({ predicate }) => predicate);
    const request = scanRequest(reference, known, this.#sourceOf(reference.view.table.source), predicates);
    const isEmpty = predicates.some(({ values }) => values.length === 0);
    const rows = isEmpty ? NONE_YET : await this.#hydrator.scan(request, this.#context);
    await this.#fill(reference, { rows, guard: undefined });
    const guards: Guard[] = [];
    for (const { by, asked } of narrowed) {
      if (by.ordinary) guards.push(await this.#guard(by.queries, 'text', asked));
      this.#guardBy(guards, reference, rows);
    }
  }

  #isTaken(reference: Reference, predicate: Predicate): boolean {
    const source = this.#sourceOf(reference.view.table.source);
    const request = scanRequest(reference, this.#restrictions.get(reference), source, [predicate]);
    const pushed = source?.kind === 'scan' ? source.plan(request).pushed : [];
    return pushed.some((each) => each.predicate === predicate && each.exactness !== 'none');
  }

  async #fetchScan(reference: Reference): Promise<HydratedRows> {
    const source = this.#sourceOf(reference.view.table.source);
    const request = {
      ...scanRequest(reference, this.#shared.restrictionsOf(reference), source),
      columns: this.#shared.columnsOf(reference),
    };
    return this.#hydrator.scan(request, this.#context);
  }

  /** What was hydrated for mentions below views and functions, by table: of those tables that have all that any of them needs. */
  served(): ReadonlyMap<VirtualTable, ServedRows> {
    const served = new Map<VirtualTable, ServedRows>();
    for (const table of this.#shared.tables) {
      const mentions = this.#shared.mentionsOf(table);
      const filled = mentions.map(({ id }) => this.#filled.get(placeholder('reference', id)));
      if (filled.some((each) => each === undefined || each.guard !== undefined) || !this.#shared.inputsAgree(table))
        continue;
      const parts = new Map<HydratedRows, readonly string[] | undefined>();
      for (const each of filled) if (each !== undefined && each.rows !== 'empty') parts.set(each.rows, each.keys);
      const [first] = mentions;
      const columns = first === undefined ? [] : this.#shared.columnsOf(first);
      served.set(table, {
        parts: [...parts].map(([rows, keys]) => ({ rows, keys })),
        columns: new Set(columns.map(({ name }) => name)),
      });
    }
    return served;
  }

  async #lookup(step: Lookup): Promise<void> {
    await this.#ask(step, await this.#keysOf(step));
  }

  async #keysOf({ queries, reference }: Lookup): Promise<readonly string[]> {
    const keys = new Set<string>();
    if (this.#restrictions.get(reference)?.contradiction === true) return [];
    for (const query of queries) {
      const { rows, complete } = await this.#runOwn(query, MAX_KEYS);
      if (!complete) throw tooManyKeys(reference.view.table.name, this.#context.settings.maxLookups);
      for (const [key] of rows) if (key !== null && key !== undefined) keys.add(key);
    }
    return [...keys];
  }

  async #ask(step: Lookup, keys: readonly string[]): Promise<void> {
    const { reference, from } = step;
    const { table } = reference.view;
    const known = this.#restrictions.get(reference);
    if (known?.contradiction === true) {
      await this.#fill(reference, { rows: 'empty', guard: undefined });
      return;
    }
    const rows = await this.#hydrator.lookup(
      {
        table,
        keys: withInputs(keys, reference, known?.predicates ?? []),
        columns: this.#shared.columnsOf(reference),
        keyExpression: from,
      },
      this.#context,
    );
    await this.#fill(reference, { rows, guard: undefined, keys });
    if (!step.ordinary || this.#oneSnapshot) return;
    this.#guardBy([await this.#guard(step.queries, step.key.type, keys)], reference, rows);
  }

  #guardBy(guards: readonly Guard[], reference: Reference, rows: HydratedRows): void {
    if (guards.length === 0) return;
    const guard: Guard = {
      known: guards.flatMap(({ known }) => known),
      sql: (parameters) => guards.map(({ sql }) => sql(parameters)).join(' and '),
    };
    const name = placeholder('reference', reference.id);
    this.#filled.set(name, { ...this.#filled.get(name), rows, guard, reference });
  }

  /** Fails the statement when its own snapshot holds a key that was not asked for. */
  async #guard(keyQueries: readonly string[], type: string, keys: readonly string[]): Promise<Guard> {
    const rows = keys.map((key) => [key]);
    const known = await this.#store([{ name: 'key', type: 'text' }], rows);
    const sql: Guard['sql'] = (parameters) => {
      const queries = keyQueries.map((query) => `(${this.#substituted(query, parameters)})`).join(' union all ');
      return (
        `(select trailhound.keys_missing(pg_catalog.count(*)) from (${queries}) as k(key)` +
        // NULL is no key, and yet is unequal to all of none.
        ` where k.key is not null and k.key operator(pg_catalog.<>) all` +
        ` (select s.key::${type} from (${storedSql(known, parameters)}) as s))`
      );
    };
    return { known: [known], sql };
  }

  async #evaluate(step: Evaluate): Promise<void> {
    const result = await this.#runOwn(step.query, MAX_EVALUATED_ROWS);
    if (!result.complete) throw tooManyRows();
    const rows = await this.#store(await this.#columnsOf(result, step.query), result.rows);
    await this.#put(placeholder('level', step.id), { parts: [rows], names: result.fields.map(({ name }) => name) });
  }

  async *#recurse(step: RecursionStep): AsyncGenerator<'more' | 'last'> {
    const references = lookupsIn(step.steps).map(({ reference }) => reference);
    const clear = async (): Promise<void> => {
      for (const reference of references) await this.#fill(reference, { rows: 'empty', guard: undefined });
    };
    // Nothing else reads them; and yet the text may name them outside of the recursive term, in a CTE of their own.
    await clear();
    const levels = recurse(step, {
      signal: this.#context.signal,
      run: (text, maxRows) => this.#runOwn(text, maxRows),
      perform: (steps) => this.#perform(steps),
      columnsOf: (result, text) => this.#columnsOf(result, text),
      store: (columns, rows) => this.#store(columns, rows),
      put: (name, evaluated) => this.#put(name, evaluated),
    });
    try {
      yield* levels;
    } finally {
      await clear();
    }
  }

  #store(columns: readonly StoredColumn[], rows: readonly Row[]): Promise<HydratedRows> {
    return this.#hydrator.store(columns, single(rows), this.#context);
  }

  /** @param text the query that the result is of */
  async #columnsOf(result: InjectedResult, text: string): Promise<StoredColumn[]> {
    if (result.fields.some(({ typeOid }) => ANONYMOUS.has(typeOid))) throw rowAsColumn();
    if (result.fields.length === 0) return [];
    const { rows } = await this.#runOwn(columnTypesSql(result.fields, text), 1);
    return result.fields.map((_field, index) => ({ name: `c${String(index + 1)}`, type: rows[0]?.[index] ?? 'text' }));
  }

  async #runOwn(text: string, maxRows: number): Promise<InjectedResult> {
    const parameters = this.#newParameters();
    const own = this.#substituted(text, parameters);
    const { types: parameterTypes, values } = parameters;
    return this.#backend.query({ text: own, parameterTypes, parameters: values, maxRows });
  }

  /** A planned query with its placeholders replaced by what they stand for. */
  #substituted(text: string, parameters: ParameterList): string {
    const slices = new Slices(text);
    const replacements: Replacement[] = [];
    walk(parseKept(text), (node, kind) => {
      const rangeVar = kind === 'RangeVar' ? bare(node, 'RangeVar') : undefined;
      const name = rangeVar?.relname ?? '';
      const evaluated = this.#evaluatedSql(name, parameters);
      const own = evaluated === undefined ? this.#referenceSql(name, parameters) : `(${evaluated})`;
      if (rangeVar === undefined || own === undefined) return undefined;
      const alias = rangeVar.alias === undefined ? quoteIdent(name) : undefined;
      replacements.push(slices.reference(rangeVar.location ?? 0, 1, own, alias));
      return undefined;
    });
    return replaceBytes(text, replacements);
  }

  #referenceSql(name: string, parameters: ParameterList): string | undefined {
    for (const [{ id, view }, served] of this.#given) {
      if (placeholder('reference', id) !== name) continue;
      return referenceSql(view, together(served, view.table, parameters), parameters);
    }
    const filled = this.#filled.get(name);
    return filled === undefined
      ? undefined
      : referenceSql(filled.reference.view, filled.rows, parameters, filled.guard?.sql);
  }

  #evaluatedSql(name: string, parameters: ParameterList): string | undefined {
    const evaluated = this.#evaluated.get(name);
    if (evaluated === undefined) return undefined;
    const columns = evaluated.names.map((own, index) => `_.c${String(index + 1)} as ${quoteIdent(own)}`);
    const rows = evaluated.parts.map((part) => storedSql(part, parameters));
    return `select ${columns.join(', ')} from (${rows.join(' union all ')}) as _`;
  }

  #newParameters(): ParameterList {
    return new ParameterList(this.#client.types, this.#client.values);
  }

  async #fill(reference: Reference, filled: Filled): Promise<void> {
    const name = placeholder('reference', reference.id);
    const before = this.#filled.get(name);
    this.#filled.set(name, { ...filled, reference });
    if (filled.rows !== 'empty')
      this.#statistics.set(reference, sum(this.#statistics.get(reference), filled.rows.statistics));
    if (before !== undefined) await Promise.all(rowsOf(before).map((rows) => rows.release()));
  }

  #forgetRows(reference: Reference): void {
    const statistics = this.#statistics.get(reference);
    if (statistics !== undefined) this.#statistics.set(reference, { ...statistics, rows: 0 });
  }

  async #put(name: string, evaluated: Evaluated): Promise<void> {
    const before = this.#evaluated.get(name)?.parts ?? [];
    this.#evaluated.set(name, evaluated);
    await Promise.all(before.filter((part) => !evaluated.parts.includes(part)).map((part) => part.release()));
  }
}

function rowsOf({ rows, guard }: Filled): readonly HydratedRows[] {
  return [...(rows === 'empty' ? [] : [rows]), ...(guard?.known ?? [])];
}

/** No row that PostgreSQL could know of while it plans: it would leave out the guard. */
const NONE_YET: HydratedRows = {
  kind: 'values',
  rows: [],
  columns: [],
  statistics: { calls: 0, pages: 0, rows: 0, bytes: 0, cacheHits: 0, waitMs: 0 },
  release: () => Promise.resolve(),
};

function tooManyKeys(table: string, allowed: number): TrailhoundError {
  return new TrailhoundError(
    'lookup_budget',
    `more than ${String(MAX_KEYS)} lookups needed, ${String(allowed)} allowed by trailhound.max_lookups`,
    {
      detail: `So many distinct values would be looked up in ${table}. No call was made.`,
      hint: 'Narrow what the values are read from, by a condition or by a LIMIT in a derived table.',
    },
  );
}

function rowAsColumn(): TrailhoundError {
  return new TrailhoundError('not_supported', 'a level that gives keys cannot have a whole row as a column', {
    detail: 'Its rows are kept until the statement runs, and PostgreSQL reads no row without a named type back.',
    hint: 'Select the columns that you need, or to_jsonb(row).',
  });
}

function tooManyRows(): TrailhoundError {
  return new TrailhoundError(
    'too_complex',
    `a subquery gives more than ${String(MAX_EVALUATED_ROWS)} rows to look up`,
    {
      detail:
        'Its LIMIT, DISTINCT ON, window, volatile function or recursion makes it a level that is evaluated once, before the rest.',
      hint: 'Lower its LIMIT, bound its recursion, or put its rows into a table first: create temp table rows_needed as select ....',
    },
  );
}

/** Four times as many, but what is allowed is tried before what is not. */
function nextCount(count: number, allowed: number): number {
  return count < allowed && 4 * count > allowed ? allowed : 4 * count;
}

/** A reference in a recursion is fetched once a level. */
function sum(one: FetchStatistics | undefined, two: FetchStatistics): FetchStatistics {
  if (one === undefined) return two;
  return {
    calls: one.calls + two.calls,
    pages: one.pages + two.pages,
    rows: one.rows + two.rows,
    bytes: one.bytes + two.bytes,
    cacheHits: one.cacheHits + two.cacheHits,
    waitMs: one.waitMs + two.waitMs,
  };
}

async function* single<T>(value: T): AsyncIterable<T> {
  yield await Promise.resolve(value);
}
