import type { VirtualTable } from '../catalog/table.ts';
import type { FetchStatistics, Hydrator, StatementContext } from '../hydrate/hydrator.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import { placeholder, type Reference, type Statement } from '../planner/statement.ts';
import type { Growth } from '../planner/growing.ts';
import type { Plan } from '../planner/plan.ts';
import { lookupsIn, type RecursionStep, type Step } from '../planner/steps.ts';
import type { Source } from '../sources/source.ts';
import type { Replacement } from '../sql/substitute.ts';
import type { ClientBackend } from './backend.ts';
import type { KnownRestrictions } from './constants.ts';
import { finalText } from './final-text.ts';
import { LookupSteps } from './lookup-steps.ts';
import { OwnQueries, type ClientParameters } from './own-queries.ts';
import type { ParameterList } from './parameters.ts';
import { Placeholders } from './placeholders.ts';
import { recurse } from './recursion.ts';
import { ScanSteps } from './scan-steps.ts';
import { servedBelow } from './served-below.ts';
import type { ServedRows } from './served-rows.ts';
import type { TextCondition } from './text-conditions.ts';
import { SharedRequests } from './shared-requests.ts';

type Evaluate = Extract<Step, { kind: 'evaluate' }>;

/** What LIMIT, DISTINCT ON and the like usually leave is a page; the rows are held here on their way. */
const MAX_EVALUATED_ROWS = 250_000;

/** Runs one plan: fills its references in order, and writes the statement that reads them. */
export class Execution {
  readonly #plan: Plan;
  readonly #context: StatementContext;
  readonly #shared: SharedRequests;
  readonly #placeholders: Placeholders;
  readonly #own: OwnQueries;
  readonly #scans: ScanSteps;
  readonly #lookups: LookupSteps;
  readonly #oneSnapshot: boolean;

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
    given: ReadonlyMap<Reference, ServedRows>;
  }) {
    this.#plan = options.plan;
    this.#context = options.context;
    this.#oneSnapshot = options.oneSnapshot;
    this.#shared = new SharedRequests(options.references, options.restrictions, options.plan.steps);
    this.#placeholders = new Placeholders(options.given);
    this.#own = new OwnQueries({ ...options, placeholders: this.#placeholders });
    const parts = { placeholders: this.#placeholders, own: this.#own, shared: this.#shared };
    this.#scans = new ScanSteps({ ...options, ...parts });
    this.#lookups = new LookupSteps({ ...options, ...parts });
  }

  async run(): Promise<void> {
    for (const reference of this.#plan.dead) await this.#empty(reference);
    const { steps } = this.#plan;
    // Each later step may read what came before it.
    await this.#scans.run(steps);
    const growth = this.#growth();
    const at = growth === undefined ? steps.length : steps.indexOf(growth.step);
    await this.#perform(steps.slice(0, at));
    if (growth !== undefined) await this.#grow(growth, steps.slice(at));
  }

  /** What costs no call is asked at once; so are keys that may fail, each of which a WARNING counts. */
  #growth(): Growth | undefined {
    const { growth } = this.#plan;
    if (growth?.ordinary === true && !this.#oneSnapshot) return undefined;
    const { sources, partial } = this.#context.settings;
    return growth?.step.kind === 'lookup' && (sources !== 'live' || partial) ? undefined : growth;
  }

  /** What comes after the step that grows is done anew each time, because it may read from it. */
  async #grow({ step, probe }: Growth, steps: readonly Step[]): Promise<void> {
    for await (const state of step.kind === 'recursion' ? this.#recurse(step) : this.#lookups.lookUpInBatches(step)) {
      await this.#perform(steps.slice(1));
      if (state === 'last') continue;
      const { rows } = await this.#own.run(probe, 1);
      if (rows[0]?.[0] === 't') return;
      for (const { reference } of lookupsIn(steps)) this.#placeholders.forgetRows(reference);
    }
  }

  /** Scans have been read before. */
  async #perform(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      this.#context.signal.throwIfAborted();
      switch (step.kind) {
        case 'scan':
          break;
        case 'refuse':
          await this.#empty(step.unbounded);
          break;
        case 'lookup':
          await this.#lookups.lookUp(step);
          break;
        case 'evaluate':
          await this.#evaluate(step);
          break;
        case 'recursion':
          for await (const _level of this.#recurse(step));
      }
    }
  }

  async #evaluate(step: Evaluate): Promise<void> {
    const result = await this.#own.run(step.query, MAX_EVALUATED_ROWS);
    if (!result.complete) throw tooManyRows();
    const rows = await this.#own.store(await this.#own.columnsOf(result, step.query), result.rows);
    const names = result.fields.map(({ name }) => name);
    await this.#placeholders.put(placeholder('level', step.id), { parts: [rows], names });
  }

  async *#recurse(step: RecursionStep): AsyncGenerator<'more' | 'last'> {
    const references = lookupsIn(step.steps).map(({ reference }) => reference);
    const clear = async (): Promise<void> => {
      for (const reference of references) await this.#empty(reference);
    };
    // Nothing else reads them; and yet the text may name them outside of the recursive term, in a CTE of their own.
    await clear();
    const levels = recurse(step, {
      signal: this.#context.signal,
      run: (text, maxRows) => this.#own.run(text, maxRows),
      perform: (steps) => this.#perform(steps),
      columnsOf: (result, text) => this.#own.columnsOf(result, text),
      store: (columns, rows) => this.#own.store(columns, rows),
      put: (name, evaluated) => this.#placeholders.put(name, evaluated),
    });
    try {
      yield* levels;
    } finally {
      if (step.node !== undefined) await clear();
    }
  }

  #empty(reference: Reference): Promise<void> {
    return this.#placeholders.fill(reference, { rows: 'empty', guard: undefined });
  }

  /** What each reference has cost so far; undefined for one that was not fetched. */
  statisticsOf(reference: Reference): FetchStatistics | undefined {
    return this.#placeholders.statisticsOf(reference);
  }

  /** The client's statement with its references replaced. */
  finalStatement(
    text: string,
    statement: Statement,
    besides: readonly Replacement[],
    conditions: readonly TextCondition[],
  ): { text: string; parameters: ParameterList } {
    const parameters = this.#own.newParameters();
    const more = { besides, conditions };
    const final = finalText(text, statement, this.#plan, more, this.#placeholders, parameters);
    return { text: final, parameters };
  }

  /** What was hydrated for mentions below views and functions, by table: of those tables that have all that any of them needs. */
  served(): ReadonlyMap<VirtualTable, ServedRows> {
    return servedBelow(this.#shared, this.#placeholders);
  }

  release(): Promise<void> {
    return this.#placeholders.release();
  }
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
