import type { Catalog } from '../catalog/table.ts';
import type { Hydrator } from '../hydrate/hydrator.ts';
import type { Reference } from '../planner/statement.ts';
import { keepsRows } from '../planner/steps.ts';
import type { Source } from '../sources/source.ts';
import { parseStatements } from '../sql/parse.ts';
import type { ClientBackend, Description } from './backend.ts';
import { computeRestrictions, type KnownRestrictions } from './constants.ts';
import { deadlineOf } from './deadline.ts';
import { executedText, mayExecute, type Executed } from './execute.ts';
import { Execution } from './execution.ts';
import { explainer, explainPlan } from './explain.ts';
import { askFacts, type StatementFacts } from './facts.ts';
import { MisspeltSettings } from './misspelt-settings.ts';
import { ParameterList } from './parameters.ts';
import type { QueryPipeline, Rewrite, RewriteRequest } from './pipeline.ts';
import { PlanCache, type Analysis, type Reading } from './plan-cache.ts';
import { lossyText, positioned, refusalOf, withHint } from './refusals.ts';
import { unknownSetting } from './settings.ts';
import { contextOf } from './statement-context.ts';

export interface PipelineOptions {
  readonly catalog: Catalog;
  readonly hydrator: Hydrator;
  readonly sources: ReadonlyMap<string, Source>;
  /** By default one of its own. */
  readonly plans?: PlanCache;
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

  constructor({ catalog, hydrator, sources, plans = new PlanCache() }: PipelineOptions) {
    this.#catalog = catalog;
    this.#hydrator = hydrator;
    this.#sourceOf = (name) => sources.get(name);
    this.#viewNames = new Set(catalog.views.map((view) => view.name));
    this.#plans = plans;
  }

  mayConcern(text: string): boolean {
    const lower = text.toLowerCase();
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
    // They are written behind the statements that they tell of.
    if (reading.relations.some((name) => STATISTICS.has(name))) await this.#hydrator.recorded();
    const { execute } = reading.classified;
    if (execute === undefined) return this.#rewrite(request, reading, backend, arrived);
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
    if (reading.classified.kind === 'relay' || !this.#namesView(reading)) return undefined;
    // Sent together: one round trip.
    const [description, facts] = await Promise.all([
      backend.describe(request.text, request.parameterTypes),
      askFacts({ ...reading, settings: this.#misspelt.of(request.session) }, this.#catalog, backend),
    ]);
    if (![...facts.planning.relations.values()].some((relation) => relation.view !== undefined)) return undefined;
    // The loopback serves what is not planned here, and what would be read differently in the session's own spelling.
    if (reading.classified.query === undefined || !isReadAsPlanned(facts, request.text)) return undefined;
    // EXPLAIN (GENERIC_PLAN) has no values, which a simple Query alone can leave out.
    const { kind } = reading.classified;
    if (kind === 'explain' && !executed && request.parameters.length < description.parameterTypes.length)
      return undefined;
    const analysis = this.#plans.analyse(request.text, reading, facts.planning);
    if (analysis === undefined) return undefined;
    // PostgreSQL's own 42501 is the right answer, and it raises that before it opens any table.
    if (!analysis.statement.references.every((reference) => mayRead(reference, facts))) return undefined;
    // Its arguments travel as text.
    if (request.parameterTypes.length > 0 && executed !== undefined && !facts.textRoundTrips) return undefined;
    if (facts.misspelt !== undefined) throw unknownSetting(facts.misspelt);
    const parameters = executed === undefined ? request.parameters : await executed.computeArguments();
    const isOwnText = executed === undefined;
    const own = { ...request, parameters };
    return this.#run({ request: own, isOwnText, backend, reading, description, facts, analysis, arrived });
  }

  async #run(work: Work): Promise<Rewrite> {
    const { request, isOwnText, backend, reading, description, facts, analysis } = work;
    const { kind } = reading.classified;
    const { statement, planned } = analysis;
    const deadline = deadlineOf(facts.statementTimeoutMs, work.arrived, request.signal);
    try {
      const context = contextOf(facts, kind, request, deadline.signal);
      const client = { types: description.parameterTypes, values: request.parameters };
      const parameters = new ParameterList(client.types, client.values);
      const open = facts.catalogFirst ? analysis.restrictions : new Map<Reference, never>();
      const known = await computeRestrictions(open, parameters, backend);
      if (kind === 'explain') return this.#explained(work, known);
      const written = { user: request.user, text: isOwnText ? request.text : undefined };
      if (!('plan' in planned)) throw positioned(planned, written);
      const refusal = refusalOf(planned.plan, known);
      if (refusal !== undefined) throw positioned(refusal, written);
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
      });
      try {
        await execution.run();
        const final = execution.finalStatement(request.text, statement);
        return {
          text: final.text,
          parameterTypes: final.parameters.types,
          parameters: final.parameters.values,
          origins: description.fields?.map(({ tableOid, attnum }) => ({ tableOid, attnum })),
          ...(kind === 'explain analyze' ? { explain: this.#explainer(work, known, execution) } : {}),
          holdUntilTransactionEnd: kind === 'cursor',
          release: () => execution.release(),
        };
      } catch (error) {
        await execution.release();
        throw deadline.signal.aborted ? deadline.signal.reason : withHint(error);
      }
    } finally {
      deadline.clear();
    }
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

interface Work {
  readonly request: RewriteRequest;
  /** The text is the client's, not one that EXECUTE stands for. */
  readonly isOwnText: boolean;
  readonly backend: ClientBackend;
  readonly reading: Reading;
  readonly description: Description;
  readonly facts: StatementFacts;
  readonly analysis: Analysis;
  /** Milliseconds since the epoch. */
  readonly arrived: number;
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
