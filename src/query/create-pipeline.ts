import type { Catalog } from '../catalog/table.ts';
import type { Hydrator } from '../hydrate/hydrator.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import { readsOrdinary } from '../planner/steps.ts';
import type { Source } from '../sources/source.ts';
import { describedFirst } from '../sql/described-first.ts';
import { parseStatements } from '../sql/parse.ts';
import type { ClientBackend } from './backend.ts';
import { leadsBelow, prepareBelow } from './below.ts';
import { CallingStatements } from './calling-statements.ts';
import type { DefinitionNews } from './definition-news.ts';
import { Dependents, type Queryable } from './dependents.ts';
import { executedText, mayExecute, type Executed } from './execute.ts';
import { askFacts } from './facts.ts';
import { withAggregate } from './lost-aggregates.ts';
import { lateDefinition, namesLateDefinition } from './late-definition.ts';
import { LearntNames } from './learnt-names.ts';
import { MadeLookups } from './made-lookups.ts';
import { MisspeltSettings } from './misspelt-settings.ts';
import { onlyReads } from './only-reads.ts';
import type { QueryPipeline, Rewrite, RewriteRequest, StatementText } from './pipeline.ts';
import { analysisOf, PlanCache, type Analysis, type Reading } from './plan-cache.ts';
import { isReadAsPlanned, mayRead, mayReadSome } from './readable.ts';
import { cameBack } from './refusals.ts';
import { unknownSetting } from './settings.ts';
import { StatementRunner } from './statement-runner.ts';
import { wholePlan } from './whole-plan.ts';
import type { Asked } from './work.ts';

export interface PipelineOptions {
  readonly catalog: Catalog;
  readonly hydrator: Hydrator;
  readonly sources: ReadonlyMap<string, Source>;
  /** By default one of its own. */
  readonly plans?: PlanCache;
  /** Says what users' views and functions lead to; without it only what passes in statements is known. */
  readonly pool?: Queryable;
  /** Brings the catalog to what is committed; without it, it never changes. Never rejects. */
  readonly refreshCatalog?: () => Promise<void>;
  /** Tells of what is committed; without it, what other processes make is looked for every few seconds. */
  readonly news?: DefinitionNews;
}

/** The one road of a statement: analyse, plan, hydrate, substitute. */
export function createPipeline(options: PipelineOptions): QueryPipeline {
  return new Pipeline(options);
}

const STATISTICS: ReadonlySet<string> = new Set([
  '"trailhound"."scan"',
  '"trailhound"."cache"',
  '"trailhound"."connection"',
  '"trailhound"."quota"',
]);

class Pipeline implements QueryPipeline {
  readonly #catalog: Catalog;
  readonly #hydrator: Hydrator;
  readonly #made: MadeLookups;
  #viewNames: ReadonlySet<string> = new Set();
  readonly #learntViews = new LearntNames();
  #revision: number | undefined = Number.NaN;
  readonly #plans: PlanCache;
  readonly #misspelt = new MisspeltSettings();
  readonly #dependents: Dependents;
  readonly #calling: CallingStatements;
  readonly #pool: Queryable | undefined;
  readonly #runner: StatementRunner;

  constructor({ catalog, hydrator, sources, plans = new PlanCache(), pool, refreshCatalog, news }: PipelineOptions) {
    this.#catalog = catalog;
    this.#hydrator = hydrator;
    this.#made = new MadeLookups(refreshCatalog);
    this.#plans = plans;
    this.#pool = pool;
    this.#dependents = new Dependents(catalog, pool);
    news?.onNews((what) => {
      if (what === 'lookup') this.#made.known();
      else this.#dependents.forget();
    });
    this.#calling = new CallingStatements((name) => this.#dependents.isWritten(name));
    this.#runner = new StatementRunner({ hydrator, sourceOf: (name) => sources.get(name), calling: this.#calling });
  }

  mayConcern(text: string, pid?: number): boolean {
    const lower = text.toLowerCase();
    const mayHaveChanged = this.#made.mayHaveChanged(lower);
    if (pid !== undefined && this.#calling.hasCursors(pid) && mayFetch(lower)) return true;
    // Also notices what is being made.
    if (this.#dependents.mayBeNamedIn(lower) || mayHaveChanged) return true;
    // U&"…" may spell any name in escapes.
    if (lower.includes('u&"') || lower.includes('trailhound.')) return true;
    for (const name of this.#names()) if (lower.includes(name)) return true;
    return mayExecute(lower);
  }

  split(text: string): readonly StatementText[] | undefined {
    return parseStatements(text)?.map(({ node, ...own }) => ({ ...own, describedFirst: describedFirst(node) }));
  }

  async rewrite(request: RewriteRequest, backend: ClientBackend): Promise<Rewrite | undefined> {
    const arrived = Date.now();
    const reading = this.#plans.read(request.text);
    if (reading === undefined || backend.transactionStatus === 'E') return undefined;
    await this.#made.settle();
    // What postgres_fdw scans is ours: passed on unplanned it would come back, again and again.
    const isScan = request.caller !== undefined && reading.relations.some((name) => name.startsWith('"public".'));
    if (isScan && !this.#namesView(reading)) {
      await this.#made.refresh();
      if (!this.#namesView(reading)) throw cameBack();
    }
    this.#misspelt.note([...reading.settings, ...(request.startupSettings ?? [])], request.session);
    this.#dependents.note(reading.traces.made);
    await this.#dependents.refreshIfStale();
    // They are written behind the statements that they tell of.
    if (reading.relations.some((name) => STATISTICS.has(name))) await this.#hydrator.recorded();
    const { fetched } = reading.traces;
    if (fetched !== undefined) return this.#calling.fetch(request, fetched, backend);
    const whole = withAggregate(request, reading);
    if (whole !== undefined) return this.rewrite({ ...request, text: whole }, backend);
    const { execute } = reading.classified;
    if (execute === undefined)
      return this.#rewrite(request, reading, backend, arrived).catch((error: unknown) => this.#refused(error, request));
    const executed = await executedText(execute, request.text, backend, (text) => this.mayConcern(text));
    const own = executed && this.#plans.read(executed.text);
    if (own === undefined) return undefined;
    return this.#rewrite({ ...request, ...executed, parameters: [] }, own, backend, arrived, executed);
  }

  /** @param executed where the request's text is that of a prepared statement */
  async #rewrite(
    request: RewriteRequest,
    reading: Reading,
    backend: ClientBackend,
    arrived: number,
    executed?: Executed,
  ): Promise<Rewrite | undefined> {
    const { classified, traces } = reading;
    const named = this.#namesView(reading);
    const leads = leadsBelow(reading, this.#dependents);
    const storing = traces.storing && (named || leads);
    if (!leads && !storing && (classified.kind === 'relay' || !named)) return undefined;
    // After statements of ours PostgreSQL would take it for one of several.
    if (traces.declared?.held === false && request.outsideBlock === true) return undefined;
    if (traces.block) return this.#relayed(reading, request, backend, arrived);
    if (classified.kind === 'relay' && !storing) return undefined;
    const isFirst = storing && request.fresh === true;
    const mayBegin = storing || ((leads || traces.marked) && onlyReads(classified.query));
    if (isFirst || (mayBegin && (await request.ownTransaction?.()) === true))
      await backend.query({ text: ONE_SNAPSHOT });
    const below = leads || storing ? await prepareBelow(request.text, reading, this.#catalog, backend) : undefined;
    // Sent together: one round trip.
    const [description, facts] = await Promise.all([
      backend.describe(request.text, request.parameterTypes),
      askFacts({ ...(below?.asked ?? reading), settings: this.#misspelt.of(request.session) }, this.#catalog, backend),
    ]);
    const virtual = [...facts.planning.relations.values()].some((relation) => relation.view !== undefined);
    if (!virtual && !leads) return undefined;
    if (facts.misspelt !== undefined) throw unknownSetting(facts.misspelt);
    // EXPLAIN (GENERIC_PLAN) has no values, which a simple Query alone can leave out.
    const { kind } = classified;
    if (kind === 'explain' && !executed && request.parameters.length < description.parameterTypes.length)
      return undefined;
    const isOwnText = executed === undefined;
    const work = { request, isOwnText, backend, reading, description, facts, below, arrived };
    // The loopback serves what is not planned here, and what would be read differently in the session's own spelling.
    const analysis = isReadAsPlanned(facts, request.text) ? this.#analyse(work) : undefined;
    if (needsOneSnapshot(analysis, work) && (await request.ownTransaction?.()) === true) {
      await backend.query({ text: ONE_SNAPSHOT });
      // Names are looked at again: what was said of them was said in another transaction.
      const begun = { ...request, ownTransaction: () => Promise.resolve(false) };
      return this.#rewrite(begun, reading, backend, arrived, executed);
    }
    const { calling, release } = this.#calling.scan(request);
    try {
      // PostgreSQL's own 42501 is the right answer, and it raises that before it opens any table.
      const allowed = analysis?.statement.references.every((reference) => mayRead(reference, facts)) === true;
      if (analysis === undefined || !allowed) {
        if (request.caller !== undefined) throw cameBack();
        return isOwnText ? this.#passedOn(work) : undefined;
      }
      // Its arguments travel as text.
      if (request.parameterTypes.length > 0 && executed !== undefined && !facts.textRoundTrips) return undefined;
      const parameters = executed === undefined ? request.parameters : await executed.computeArguments();
      const rewrite = await this.#runner.run({ ...work, request: { ...request, parameters }, analysis, calling });
      return {
        ...rewrite,
        release: () => {
          release();
          return rewrite.release();
        },
      };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** With definitions in the place of names where that gives a plan, else of the text alone. */
  #analyse({ request, reading, facts, below }: Asked): Analysis | undefined {
    const { planning, readable } = facts;
    const served = this.#calling.servedTo(request);
    if (served !== undefined) {
      const given = analysisOf(reading.classified.query, planning, (reference) => served(reference) !== undefined);
      if (given !== undefined) return given;
    }
    const mayUse = below?.views.every((name) => mayReadSome(readable.get(name))) === true;
    if (below?.query !== undefined && mayUse && facts.catalogFirst) {
      const expanded = analysisOf(below.query, planning);
      const whole = expanded && wholePlan(expanded, facts.oneSnapshot);
      if (whole !== undefined) return whole;
    }
    return this.#plans.analyse(request.text, reading, planning);
  }

  /** What is scanned for a statement that was passed on may be unbounded because its definitions were not known yet. */
  async #refused(error: unknown, { caller }: RewriteRequest): Promise<never> {
    const isUnbounded = error instanceof TrailhoundError && error.code === 'unbounded_key';
    if (caller === undefined || this.#pool === undefined || !isUnbounded || this.#calling.knows(caller)) throw error;
    await this.#dependents.refresh();
    const learnt = [this.#dependents.learnt, this.#learntViews];
    throw (await namesLateDefinition(learnt, caller, this.#pool)) ? lateDefinition() : error;
  }

  /** DO and CALL go as they are: what is asked of PostgreSQL before them must not be part of their transaction. */
  async #relayed(
    reading: Reading,
    request: RewriteRequest,
    backend: ClientBackend,
    arrived: number,
  ): Promise<undefined> {
    if (request.relayed === undefined || !(request.fresh === true || backend.transactionStatus === 'T')) return;
    const settings = this.#misspelt.of(request.session);
    const facts = await askFacts({ relations: [], functions: [], settings }, this.#catalog, backend);
    if (facts.misspelt !== undefined) throw unknownSetting(facts.misspelt);
    request.relayed(
      this.#calling.begin({ request, facts, arrived }, { context: undefined, rows: new Map(), opaque: true }).end,
    );
  }

  /** The statement as it is: what it scans through postgres_fdw is bounded by what that ships, and runs as part of it. */
  #passedOn(work: Asked): Rewrite {
    const { end } = this.#calling.begin(work, { context: undefined, rows: new Map(), opaque: true });
    const { request, description, reading } = work;
    return {
      text: request.text,
      parameterTypes: description.parameterTypes,
      parameters: request.parameters,
      origins: undefined,
      holdUntilTransactionEnd: reading.classified.kind === 'cursor',
      ended: end,
      release: async () => end(),
    };
  }

  #namesView({ unqualified }: Reading): boolean {
    const names = this.#names();
    for (const name of unqualified) if (names.has(name)) return true;
    return false;
  }

  #names(): ReadonlySet<string> {
    const { revision, views } = this.#catalog;
    if (!Object.is(revision, this.#revision)) {
      this.#revision = revision;
      this.#viewNames = new Set(views.map(({ name }) => name));
      this.#learntViews.update(this.#viewNames, Date.now());
      // Functions may have named it before it was there.
      this.#dependents.forget();
    }
    return this.#viewNames;
  }
}

function mayFetch(lower: string): boolean {
  return lower.includes('fetch') || lower.includes('move');
}

/**
 * Whether a statement reads ordinary tables for keys, or to see that it has all its rows: what another session adds to them
 * before it runs would fail it, or take more keys.
 */
function needsOneSnapshot(analysis: Analysis | undefined, { reading: { classified }, facts }: Asked): boolean {
  const planned = analysis?.planned;
  if (planned === undefined || !('plan' in planned) || facts.oneSnapshot || classified.kind === 'explain') return false;
  const { growth, steps } = planned.plan;
  if (growth?.ordinary === true) return true;
  // What a function writes may wait for another transaction, which fails in one snapshot.
  const mayWrite = facts.planning.functions.volatile.size > 0 || !onlyReads(classified.query);
  return !mayWrite && readsOrdinary(steps);
}

/** Before anything else of its transaction: key queries and the stored query see the same rows. */
const ONE_SNAPSHOT = 'set transaction isolation level repeatable read';
