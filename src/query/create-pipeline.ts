import type { Node } from '@pgsql/types';
import type { Catalog } from '../catalog/table.ts';
import { LOOPBACK_ROLE } from '../engine/loopback.ts';
import type { Hydrator, Progress, StatementContext } from '../hydrate/hydrator.ts';
import { linkAbort } from '../kernel/abort.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import { functionNames } from '../planner/dependencies.ts';
import { planStatement, type Planned } from '../planner/plan.ts';
import { restrictionsOf } from '../planner/predicates.ts';
import { relationName, Statement } from '../planner/statement.ts';
import type { Source } from '../sources/source.ts';
import { parseStatements } from '../sql/parse.ts';
import { classify, type Classified } from '../sql/statement.ts';
import { bare, walk } from '../sql/walk.ts';
import { BackendError, type ClientBackend, type Description } from './backend.ts';
import { computeRestrictions } from './constants.ts';
import { Execution } from './execution.ts';
import { explainJson, explainPlan, explanationLines, type ReferenceExplanation } from './explain.ts';
import { askFacts, type StatementFacts } from './facts.ts';
import { MisspeltSettings } from './misspelt-settings.ts';
import { ParameterList } from './parameters.ts';
import type { QueryPipeline, Rewrite, RewriteRequest } from './pipeline.ts';
import { readSettings } from './settings.ts';

export interface PipelineOptions {
  readonly catalog: Catalog;
  readonly hydrator: Hydrator;
  readonly sources: ReadonlyMap<string, Source>;
}

/** The one road of a statement: analyse, plan, hydrate, substitute. */
export function createPipeline(options: PipelineOptions): QueryPipeline {
  return new Pipeline(options);
}

class Pipeline implements QueryPipeline {
  readonly #catalog: Catalog;
  readonly #hydrator: Hydrator;
  readonly #sources: ReadonlyMap<string, Source>;
  readonly #viewNames: ReadonlySet<string>;
  readonly #misspelt = new MisspeltSettings();

  constructor({ catalog, hydrator, sources }: PipelineOptions) {
    this.#catalog = catalog;
    this.#hydrator = hydrator;
    this.#sources = sources;
    this.#viewNames = new Set(catalog.views.map((view) => view.name));
  }

  mayConcern(text: string): boolean {
    const lower = text.toLowerCase();
    // U&"…" may spell any name in escapes.
    if (lower.includes('u&"') || lower.includes('trailhound.')) return true;
    for (const name of this.#viewNames) if (lower.includes(name)) return true;
    return false;
  }

  split(text: string): readonly { text: string; offset: number }[] | undefined {
    return parseStatements(text);
  }

  async rewrite(request: RewriteRequest, backend: ClientBackend): Promise<Rewrite | undefined> {
    const arrived = Date.now();
    const [parsed] = parseStatements(request.text) ?? [];
    if (parsed === undefined || backend.transactionStatus === 'E') return undefined;
    this.#misspelt.note(parsed.node, request.session);
    const classified = classify(parsed.node);
    if (classified.kind === 'relay' || !this.#namesView(parsed.node)) return undefined;
    const asked = relationsIn(parsed.node);
    const description = await backend.describe(request.text, request.parameterTypes);
    const facts = await askFacts(asked, functionNames(parsed.node), this.#catalog, backend);
    if (![...facts.relations.values()].some((relation) => relation.view !== undefined)) return undefined;
    // The loopback serves what is not planned here, and what would be read differently in the session's own spelling.
    if (classified.query === undefined || !isReadAsPlanned(facts, request.text)) return undefined;
    const statement = new Statement(classified.query, facts.relations, facts.functions);
    if (statement.references.length === 0) return undefined;
    // PostgreSQL's own 42501 is the right answer, and it raises that before it opens any table.
    if (!statement.references.every((reference) => mayRead(reference, facts))) return undefined;
    await this.#misspelt.check(request.session, backend);
    return this.#plan({ request, backend, classified, description, facts, statement, arrived });
  }

  async #plan(work: Work): Promise<Rewrite> {
    const { request, backend, classified, description, facts, statement } = work;
    const settings = readSettings(facts.settings);
    const client = { types: description.parameterTypes, values: request.parameters };
    const parameters = new ParameterList(client.types, client.values);
    const open = new Map(statement.references.map((reference) => [reference, restrictionsOf(reference, statement)]));
    const known = await computeRestrictions(facts.catalogFirst ? open : new Map(), parameters, backend);
    const planned = planStatement(statement);
    if (classified.kind === 'explain') {
      return this.#explained(
        work,
        explainPlan(planned, statement.references, known, (name) => this.#sources.get(name)),
      );
    }
    if (!('plan' in planned)) throw positioned(planned, request);
    if (!facts.textRoundTrips && planned.plan.steps.some((step) => step.kind === 'evaluate')) throw lossyText();
    const deadline = deadlineOf(facts, work.arrived, request.signal);
    const notice: StatementContext['notice'] = (severity, message) => {
      if (!facts.unheard.has(severity)) request.notice(severity, message);
    };
    const context: StatementContext = {
      signal: deadline.signal,
      settings,
      role: facts.role,
      // COPY takes no parameters; in another encoding than UTF-8 they would be read differently.
      relationOnly: classified.kind === 'copy' || facts.clientEncoding !== 'UTF8',
      notice,
      progress: settings.progress
        ? (state) => {
            notice('NOTICE', progressText(state));
          }
        : () => undefined,
    };
    const execution = new Execution({
      plan: planned.plan,
      restrictions: known,
      hydrator: this.#hydrator,
      backend,
      context,
      client,
      sourceOf: (name) => this.#sources.get(name),
      abort: deadline.abort,
    });
    try {
      await execution.run();
      const final = execution.finalStatement(request.text, statement);
      const explanations =
        classified.kind === 'explain analyze'
          ? explainPlan(
              planned,
              statement.references,
              known,
              (name) => this.#sources.get(name),
              (reference) => execution.statisticsOf(reference),
            )
          : undefined;
      return {
        text: final.text,
        parameterTypes: final.parameters.types,
        parameters: final.parameters.values,
        origins: description.fields?.map(({ tableOid, attnum }) => ({ tableOid, attnum })),
        ...(explanations === undefined ? {} : { explain: explainer(classified, explanations) }),
        holdUntilTransactionEnd: classified.kind === 'cursor',
        release: () => execution.release(),
      };
    } catch (error) {
      await execution.release();
      throw deadline.signal.aborted ? deadline.signal.reason : withHint(error);
    } finally {
      deadline.clear();
    }
  }

  #explained(work: Work, explanations: readonly ReferenceExplanation[]): Rewrite {
    return {
      text: work.request.text,
      parameterTypes: work.description.parameterTypes,
      parameters: work.request.parameters,
      origins: undefined,
      explain: explainer(work.classified, explanations),
      holdUntilTransactionEnd: false,
      release: () => Promise.resolve(),
    };
  }

  #namesView(node: Node): boolean {
    let found = false;
    walk(node, (inner, kind) => {
      const name = kind === 'RangeVar' ? bare(inner, 'RangeVar')?.relname : undefined;
      if (name !== undefined && this.#viewNames.has(name)) found = true;
      return undefined;
    });
    return found;
  }
}

/** The rows of a level that is evaluated once travel as text, which these settings make ambiguous. */
function lossyText(): TrailhoundError {
  return new TrailhoundError('not_supported', 'a subquery with LIMIT cannot give keys under these settings', {
    detail:
      'With array_nulls off, extra_float_digits below 1 or a DateStyle other than ISO, text does not give back what it was made of.',
    hint: "Run: set array_nulls to on; set extra_float_digits to 1; set datestyle to 'ISO'.",
  });
}

/** A cast that the user wrote fails as PostgreSQL fails it; we know what would not. */
function withHint(error: unknown): unknown {
  if (!(error instanceof BackendError) || error.fields.get('C') !== '22P02' || error.fields.has('H')) return error;
  if (error.fields.get('M')?.includes('type inet') !== true) return error;
  const hint =
    'Some of these texts are no addresses: use e.source_ip, or try_inet(...), which give NULL for them, in place of a cast.';
  return new BackendError(new Map([...error.fields, ['H', hint]]));
}

interface Work {
  readonly request: RewriteRequest;
  readonly backend: ClientBackend;
  readonly classified: Classified;
  readonly description: Description;
  readonly facts: StatementFacts;
  readonly statement: Statement;
  readonly arrived: number;
}

/** Every relation that is named anywhere, CTEs' names included: asking for one too many does no harm. */
function relationsIn(node: Node): string[] {
  const found = new Set<string>();
  walk(node, (inner, kind) => {
    const rangeVar = kind === 'RangeVar' ? bare(inner, 'RangeVar') : undefined;
    if (rangeVar?.relname !== undefined) found.add(relationName(rangeVar));
    return undefined;
  });
  return [...found];
}

function mayRead(reference: Statement['references'][number], facts: StatementFacts): boolean {
  // Keyed by the name as written, which the statement's own tree no longer has.
  const names = [...facts.relations].filter(([, relation]) => relation.view === reference.view).map(([name]) => name);
  return names.every((name) => {
    const readable = facts.readable.get(name) ?? new Set();
    return readable.size > 0 && [...reference.used].every((column) => readable.has(column));
  });
}

/** With other string literals, or in another encoding, PostgreSQL would read another statement than was parsed here. */
function isReadAsPlanned(facts: StatementFacts, text: string): boolean {
  return facts.standardConformingStrings && (facts.clientEncoding === 'UTF8' || isAscii(text));
}

function positioned(
  planned: Extract<Planned, { error: TrailhoundError }>,
  { text, user }: RewriteRequest,
): TrailhoundError {
  const { error, unbounded } = planned;
  const before = Buffer.from(text).subarray(0, unbounded.location).toString();
  return new TrailhoundError(error.code, error.message, {
    detail: error.detail,
    hint:
      user === LOOPBACK_ROLE
        ? 'Below a view or in a function only what names the values itself bounds them: write the join in the statement.'
        : error.hint,
    // PostgreSQL counts characters, not UTF-16 units.
    position: Array.from(before).length + 1,
  });
}

/** statement_timeout counts from the statement's arrival, hydration included. */
function deadlineOf(
  facts: StatementFacts,
  arrived: number,
  signal: AbortSignal,
): { signal: AbortSignal; abort: (reason: unknown) => void; clear: () => void } {
  const linked = linkAbort(signal);
  const timeOut = (): void => {
    linked.abort(new TrailhoundError('statement_timeout', 'canceling statement due to statement timeout'));
  };
  const left = Math.max(0, arrived + facts.statementTimeoutMs - Date.now());
  const timer = facts.statementTimeoutMs === 0 ? undefined : setTimeout(timeOut, left);
  return {
    signal: linked.signal,
    abort: (reason) => {
      linked.abort(reason);
    },
    clear: () => {
      clearTimeout(timer);
      linked.unlink();
    },
  };
}

function explainer(
  classified: Classified,
  explanations: readonly ReferenceExplanation[],
): (lines: readonly string[]) => readonly string[] {
  switch (classified.explainFormat) {
    case 'text':
      return (lines) => [...lines, ...explanationLines(explanations)];
    case 'json':
      return (lines) => explainJson(lines, explanations);
    case 'other':
      return (lines) => lines;
  }
}

function progressText({ table, rows, callsDone, callsKnown }: Progress): string {
  const calls = callsKnown === undefined ? String(callsDone) : `${String(callsDone)} of ${String(callsKnown)}`;
  return `${table}: ${String(rows)} rows, ${calls} calls done`;
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}
