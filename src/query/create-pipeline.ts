import type { Node } from '@pgsql/types';
import type { Catalog } from '../catalog/table.ts';
import type { Hydrator, StatementContext } from '../hydrate/hydrator.ts';
import { linkAbort } from '../kernel/abort.ts';
import type { Reference, Statement } from '../planner/statement.ts';
import { keepsRows } from '../planner/steps.ts';
import type { Source } from '../sources/source.ts';
import { parseStatements } from '../sql/parse.ts';
import { modificationOf } from '../sql/modification.ts';
import { bare, firstLocation, walk } from '../sql/walk.ts';
import type { ClientBackend, Description } from './backend.ts';
import { leadsBelow, prepareBelow, type Below } from './below.ts';
import { Callers, type CallingStatement } from './callers.ts';
import { computeRestrictions, type KnownRestrictions } from './constants.ts';
import { deadlineOf } from './deadline.ts';
import { executedText, mayExecute, type Executed } from './execute.ts';
import { Dependents, type Queryable } from './dependents.ts';
import { Execution } from './execution.ts';
import { explainer, explainPlan } from './explain.ts';
import { askFacts, type StatementFacts } from './facts.ts';
import { columnsToFetch } from './hydrated-sql.ts';
import { MisspeltSettings } from './misspelt-settings.ts';
import { ParameterList } from './parameters.ts';
import type { QueryPipeline, Rewrite, RewriteRequest } from './pipeline.ts';
import { analysisOf, PlanCache, type Analysis, type Reading } from './plan-cache.ts';
import { cameBack, lossyText, positioned, refusalOf, withHint } from './refusals.ts';
import type { ServedRows } from './served-rows.ts';
import { unknownSetting } from './settings.ts';
import { contextOf } from './statement-context.ts';

export interface PipelineOptions {
  readonly catalog: Catalog;
  readonly hydrator: Hydrator;
  readonly sources: ReadonlyMap<string, Source>;
  /** By default one of its own. */
  readonly plans?: PlanCache;
  /** Says what users' views and functions lead to; without it only what passes in statements is known. */
  readonly pool?: Queryable;
}

/** The one road of a statement: analyse, plan, hydrate, substitute. */
export function createPipeline(options: PipelineOptions): QueryPipeline {
  return new Pipeline(options);
}

const STATISTICS: ReadonlySet<string> = new Set(['"trailhound"."scan"', '"trailhound"."cache"']);

class Pipeline implements QueryPipeline {
  readonly #catalog: Catalog;
  readonly #hydrator: Hydrator;
  readonly #sourceOf: (name: string) => Source | undefined;
  readonly #viewNames: ReadonlySet<string>;
  readonly #plans: PlanCache;
  readonly #misspelt = new MisspeltSettings();
  readonly #dependents: Dependents;
  readonly #callers = new Callers();

  constructor({ catalog, hydrator, sources, plans = new PlanCache(), pool }: PipelineOptions) {
    this.#catalog = catalog;
    this.#hydrator = hydrator;
    this.#sourceOf = (name) => sources.get(name);
    this.#viewNames = new Set(catalog.views.map((view) => view.name));
    this.#plans = plans;
    this.#dependents = new Dependents(catalog, pool);
  }

  mayConcern(text: string, pid?: number): boolean {
    const lower = text.toLowerCase();
    if (pid !== undefined && this.#callers.hasCursors(pid) && mayFetch(lower)) return true;
    // Also notices what is being made.
    if (this.#dependents.mayBeNamedIn(lower)) return true;
    // U&"…" may spell any name in escapes.
    if (lower.includes('u&"') || lower.includes('trailhound.')) return true;
    for (const name of this.#viewNames) if (lower.includes(name)) return true;
    return mayExecute(lower);
  }

  split(text: string): readonly { text: string; offset: number }[] | undefined {
    return parseStatements(text);
  }

  async rewrite(request: RewriteRequest, backend: ClientBackend): Promise<Rewrite | undefined> {
    const arrived = Date.now();
    const reading = this.#plans.read(request.text);
    if (reading === undefined || backend.transactionStatus === 'E') return undefined;
    this.#misspelt.note([...reading.settings, ...(request.startupSettings ?? [])], request.session);
    this.#dependents.note(reading.traces.made);
    await this.#dependents.refreshIfStale();
    // They are written behind the statements that they tell of.
    if (reading.relations.some((name) => STATISTICS.has(name))) await this.#hydrator.recorded();
    const { fetched } = reading.traces;
    if (fetched !== undefined) return this.#fetching(request, fetched, backend);
    const { execute } = reading.classified;
    if (execute === undefined) return this.#rewrite(request, reading, backend, arrived);
    const executed = await executedText(execute, request.text, backend, (text) => this.mayConcern(text));
    const own = executed && this.#plans.read(executed.text);
    if (own === undefined) return undefined;
    return this.#rewrite({ ...request, ...executed, parameters: [] }, own, backend, arrived, executed);
  }

  /** FETCH of a cursor over what was hydrated for it, which goes as it is. */
  async #fetching({ pid, text }: RewriteRequest, name: string, backend: ClientBackend): Promise<Rewrite | undefined> {
    const cursor = pid === undefined ? undefined : this.#callers.cursorOf(pid, name);
    if (pid === undefined || cursor === undefined) return undefined;
    const parameters = new ParameterList([], []);
    parameters.addText(name);
    const { rows } = await backend.query({
      text: CURSOR_SQL,
      parameterTypes: parameters.types,
      parameters: parameters.values,
    });
    if (rows[0]?.[0] !== cursor.text) return undefined;
    return {
      text,
      parameterTypes: [],
      parameters: [],
      origins: undefined,
      holdUntilTransactionEnd: false,
      run: () => this.#callers.run(pid, cursor.statement),
      release: () => Promise.resolve(),
    };
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
    if (traces.block) return this.#relayed(reading, request, backend, arrived);
    if (classified.kind === 'relay' && !storing) return undefined;
    const reads = leads && request.alone === true && onlyReads(classified.query);
    if ((storing || reads) && request.fresh === true) await backend.query({ text: ONE_SNAPSHOT });
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
    const { calling, release } = this.#calling(request);
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
      const rewrite = await this.#run({ ...work, request: { ...request, parameters }, analysis, calling });
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
    const served = this.#servedTo(request);
    if (served !== undefined) {
      const given = analysisOf(reading.classified.query, planning, (reference) => served(reference) !== undefined);
      if (given !== undefined) return given;
    }
    const mayUse = below?.views.every((name) => mayReadSome(readable.get(name))) === true;
    if (below?.query !== undefined && mayUse && facts.catalogFirst) {
      const expanded = analysisOf(below.query, planning);
      const whole = expanded && wholePlan(expanded);
      if (whole !== undefined) return whole;
    }
    return this.#plans.analyse(request.text, reading, planning);
  }

  /** For a scan of postgres_fdw: the rows that were hydrated for the statement that it belongs to. */
  #servedTo({ caller }: RewriteRequest): ((reference: Reference) => ServedRows | undefined) | undefined {
    if (caller === undefined) return undefined;
    return (reference) => {
      const rows = this.#callers.rowsFor(caller, reference.view.table);
      const wanted = columnsToFetch(reference);
      return rows?.parts.length === 0 || wanted.every(({ name }) => rows?.columns.has(name)) ? rows : undefined;
    };
  }

  #calling({ caller, pid }: RewriteRequest): { calling: CallingStatement | undefined; release: () => void } {
    if (caller === undefined) return { calling: undefined, release: () => undefined };
    if (this.#callers.isScanning(caller)) throw cameBack();
    const release = pid === undefined ? () => undefined : this.#callers.beginScan(pid);
    return { calling: this.#callers.statementOf(caller), release };
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
      this.#begin({ request, facts, arrived }, { context: undefined, rows: new Map(), opaque: true }).end,
    );
  }

  /** The statement as it is: what it scans through postgres_fdw is bounded by what that ships, and runs as part of it. */
  #passedOn(work: Asked): Rewrite {
    const { end } = this.#begin(work, { context: undefined, rows: new Map(), opaque: true });
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

  /** From now on scans that its backend asks postgres_fdw for run as part of the statement. */
  #begin(
    {
      request,
      facts,
      arrived,
      below,
    }: Pick<Asked, 'request' | 'facts' | 'arrived'> & { readonly below?: Below | undefined },
    {
      context,
      rows,
      opaque,
    }: { context: StatementContext | undefined; rows: CallingStatement['rows']; opaque: boolean },
  ): Begun {
    const { pid } = request;
    if (pid === undefined) return { statement: undefined, end: () => undefined };
    const own = context ?? contextOf(facts, 'select', request, request.signal, undefined);
    const statement: CallingStatement = {
      settings: own.settings,
      budget: own.budget ?? own,
      notice: (severity, message) => {
        own.notice(severity, message);
      },
      deadline: facts.statementTimeoutMs === 0 ? undefined : arrived + facts.statementTimeoutMs,
      signal: request.signal,
      rows,
      opaque,
      unplanned: below?.unplanned,
    };
    return { statement, end: this.#callers.begin(pid, statement) };
  }

  /** Where rows of it wait for scans, these get them while it runs, and at no other time. */
  #serving(
    { request, reading }: Work,
    text: string,
    { statement, end }: Begun,
  ): Pick<Rewrite, 'run'> & { end: () => void } {
    const { pid } = request;
    if (pid === undefined || statement === undefined || statement.rows.size === 0) return { end };
    const { declared } = reading.traces;
    const closed = declared && this.#callers.openCursor(pid, declared.name, { text, statement });
    return {
      run: () => this.#callers.run(pid, statement),
      end: () => {
        closed?.();
        end();
      },
    };
  }

  async #run(work: Work): Promise<Rewrite> {
    const { request, isOwnText, backend, reading, description, facts, analysis, calling } = work;
    const { kind } = reading.classified;
    const { statement, planned } = analysis;
    const signal = linkAbort(request.signal, ...(calling === undefined ? [] : [calling.signal]));
    const timeout =
      calling?.deadline === undefined ? facts.statementTimeoutMs : Math.max(1, calling.deadline - work.arrived);
    const deadline = deadlineOf(timeout, work.arrived, signal.signal);
    try {
      const context = contextOf(facts, kind, request, deadline.signal, calling);
      const client = { types: description.parameterTypes, values: request.parameters };
      const parameters = new ParameterList(client.types, client.values);
      const open = facts.catalogFirst ? analysis.restrictions : new Map<Reference, never>();
      const known = await computeRestrictions(open, parameters, backend);
      if (kind === 'explain') return this.#explained(work, known);
      const written = { user: request.user, text: isOwnText ? request.text : undefined, statement };
      if (!('plan' in planned)) throw positioned(planned, written, calling?.unplanned);
      const refusal = refusalOf(planned.plan, known);
      if (refusal !== undefined) throw positioned(refusal, written, calling?.unplanned);
      if (!facts.textRoundTrips && planned.plan.steps.some(keepsRows)) throw lossyText();
      const execution = new Execution({
        plan: planned.plan,
        restrictions: known,
        hydrator: this.#hydrator,
        backend,
        context,
        client,
        sourceOf: this.#sourceOf,
        abort: (reason) => {
          deadline.abort(reason);
        },
        references: statement.references,
        oneSnapshot: facts.oneSnapshot,
        given: this.#given(request, statement),
      });
      const isBelow = statement.references.some(({ below }) => below);
      // Key queries, too, may read through functions and views.
      const { end: endQueries } = this.#begin(work, { context, rows: new Map(), opaque: true });
      try {
        await execution.run().finally(endQueries);
        const final = execution.finalStatement(request.text, statement);
        const begun = this.#begin(work, { context, rows: execution.served(), opaque: !isBelow });
        const { run, end } = this.#serving(work, final.text, begun);
        return {
          text: final.text,
          parameterTypes: final.parameters.types,
          parameters: final.parameters.values,
          origins: description.fields?.map(({ tableOid, attnum }) => ({ tableOid, attnum })),
          ...(kind === 'explain analyze' ? { explain: this.#explainer(work, known, execution) } : {}),
          holdUntilTransactionEnd: kind === 'cursor',
          run,
          ended: end,
          release: () => {
            end();
            return execution.release();
          },
        };
      } catch (error) {
        await execution.release();
        throw deadline.signal.aborted ? deadline.signal.reason : withHint(error);
      }
    } finally {
      deadline.clear();
      signal.unlink();
    }
  }

  #given(request: RewriteRequest, { references }: Statement): ReadonlyMap<Reference, ServedRows> {
    const served = this.#servedTo(request);
    return new Map(
      references.flatMap((reference) => {
        const rows = served?.(reference);
        return rows === undefined ? [] : [[reference, rows] as const];
      }),
    );
  }

  #explained(work: Work, known: ReadonlyMap<Reference, KnownRestrictions>): Rewrite {
    return {
      text: work.request.text,
      parameterTypes: work.description.parameterTypes,
      parameters: work.request.parameters,
      origins: undefined,
      explain: this.#explainer(work, known),
      holdUntilTransactionEnd: false,
      release: () => Promise.resolve(),
    };
  }

  #explainer(
    { reading, analysis }: Work,
    known: ReadonlyMap<Reference, KnownRestrictions>,
    execution?: Execution,
  ): (lines: readonly string[]) => readonly string[] {
    const explanations = explainPlan(
      analysis.planned,
      analysis.statement.references,
      known,
      this.#sourceOf,
      (reference) => execution?.statisticsOf(reference),
    );
    return explainer(reading.classified.explainFormat, explanations);
  }

  #namesView({ unqualified }: Reading): boolean {
    for (const name of unqualified) if (this.#viewNames.has(name)) return true;
    return false;
  }
}

interface Asked {
  readonly request: RewriteRequest;
  /** The text is the client's, not one that EXECUTE stands for. */
  readonly isOwnText: boolean;
  readonly backend: ClientBackend;
  readonly reading: Reading;
  readonly description: Description;
  readonly facts: StatementFacts;
  /** Undefined: it names nothing but our own views. */
  readonly below: Below | undefined;
  /** Milliseconds since the epoch. */
  readonly arrived: number;
}

interface Work extends Asked {
  readonly analysis: Analysis;
  readonly calling: CallingStatement | undefined;
}

interface Begun {
  readonly statement: CallingStatement | undefined;
  readonly end: () => void;
}

const CURSOR_SQL = 'select c.statement from pg_catalog.pg_cursors c where c.name operator(pg_catalog.=) $1';

/** Nothing that REPEATABLE READ would make fail where READ COMMITTED waits. */
function onlyReads(query: Node | undefined): boolean {
  const select = bare(query, 'SelectStmt');
  if (select === undefined || select.intoClause !== undefined) return false;
  let reads = true;
  walk(query, (node, kind) => {
    if (modificationOf(node) !== undefined || kind === 'LockingClause') reads = false;
    return undefined;
  });
  return reads;
}

function mayFetch(lower: string): boolean {
  return lower.includes('fetch') || lower.includes('move');
}

/** Before anything else of its transaction: key queries and the stored query see the same rows. */
const ONE_SNAPSHOT = 'set transaction isolation level repeatable read';

/**
 * A plan that hydrates all that any mention below needs. Undefined: a refusal that only values can decide is left to what
 * postgres_fdw ships, and what recurses in a view to PostgreSQL.
 */
function wholePlan({ planned, ...analysis }: Analysis): Analysis | undefined {
  if (!('plan' in planned)) return undefined;
  const isWhole = planned.plan.steps.every(
    (step) => step.kind !== 'refuse' && (step.kind !== 'recursion' || firstLocation(step.node) !== undefined),
  );
  return isWhole ? { ...analysis, planned: { plan: { ...planned.plan, growth: undefined } } } : undefined;
}

function mayReadSome(columns: ReadonlySet<string> | 'all' | undefined): boolean {
  return columns === 'all' || columns?.size !== 0;
}

function mayRead(reference: Reference, facts: StatementFacts): boolean {
  // Keyed by the name as written, which the statement's own tree no longer has.
  const relations = [...facts.planning.relations];
  const names = relations.filter(([, relation]) => relation.view === reference.view).map(([name]) => name);
  return names.every((name) => {
    const readable = facts.readable.get(name) ?? new Set();
    return readable === 'all' || (readable.size > 0 && [...reference.used].every((column) => readable.has(column)));
  });
}

/** With other string literals, or in another encoding, PostgreSQL would read another statement than was parsed here. */
function isReadAsPlanned(facts: StatementFacts, text: string): boolean {
  return facts.standardConformingStrings && (facts.clientEncoding === 'UTF8' || isAscii(text));
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}
