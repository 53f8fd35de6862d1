import type { Hydrator } from '../hydrate/hydrator.ts';
import { LOOPBACK_ROLE } from '../engine/loopback.ts';
import { linkAbort } from '../kernel/abort.ts';
import type { Planned } from '../planner/plan.ts';
import type { Reference } from '../planner/statement.ts';
import { keepsRows } from '../planner/steps.ts';
import type { Source } from '../sources/source.ts';
import type { CallingStatements } from './calling-statements.ts';
import { onlyChoices, withUnsaidChoices } from './choices.ts';
import { computeRestrictions, type KnownRestrictions } from './constants.ts';
import { deadlineOf } from './deadline.ts';
import { Execution } from './execution.ts';
import { explainer, explainPlan } from './explain.ts';
import { ParameterList } from './parameters.ts';
import type { Rewrite } from './pipeline.ts';
import { nothingAsked } from './nothing-asked.ts';
import { lossyText, positioned, refusalOf, unsaidInput, withHint } from './refusals.ts';
import { refuseChangingRecursions } from './changing-recursions.ts';
import { sameVersion } from './same-version.ts';
import { slowStarts } from './slow-starts.ts';
import { contextOf } from './statement-context.ts';
import type { Work } from './work.ts';

/** Runs planned statements: fetches what they need, and says what the backend gets in their place. */
export class StatementRunner {
  readonly #hydrator: Hydrator;
  readonly #sourceOf: (name: string) => Source | undefined;
  readonly #calling: CallingStatements;

  constructor(options: {
    hydrator: Hydrator;
    sourceOf: (name: string) => Source | undefined;
    calling: CallingStatements;
  }) {
    this.#hydrator = options.hydrator;
    this.#sourceOf = options.sourceOf;
    this.#calling = options.calling;
  }

  /** The statement with its references replaced by rows that are there. */
  async run(work: Work): Promise<Rewrite> {
    const { request, isOwnText, backend, reading, description, facts, analysis, calling } = work;
    const { kind } = reading.classified;
    const { statement } = analysis;
    const signal = linkAbort(request.signal, ...(calling === undefined ? [] : [calling.signal]));
    const timeout =
      calling?.deadline === undefined ? facts.statementTimeoutMs : Math.max(1, calling.deadline - work.arrived);
    const deadline = deadlineOf(timeout, work.arrived, signal.signal);
    try {
      const context = contextOf(facts, kind, request, deadline.signal, calling);
      const client = { types: description.parameterTypes, values: request.parameters };
      const parameters = new ParameterList(client.types, client.values);
      const open = facts.catalogFirst ? analysis.restrictions : onlyChoices(analysis.restrictions);
      const computed = await computeRestrictions(open, parameters, backend);
      // It may hide which backend asks: `set postgres_fdw.application_name`.
      const isScan = request.caller !== undefined || request.user === LOOPBACK_ROLE;
      const known = isScan ? withUnsaidChoices(computed, calling) : computed;
      const isOff = context.settings.sources === 'off';
      const planned = isOff ? { plan: nothingAsked(statement.references, context) } : analysis.planned;
      if (kind === 'explain') return this.#explained(work, planned, known);
      const written = { user: request.user, text: isOwnText ? request.text : undefined, statement };
      if (!('plan' in planned)) throw positioned(planned, written, calling?.unplanned);
      const { plan } = planned;
      const given = this.#calling.given(request, statement);
      const unsaid = isScan && !isOff ? unsaidInput(statement, known, calling, given) : undefined;
      const refusal = refusalOf(plan, known) ?? unsaid;
      if (refusal !== undefined) throw positioned(refusal, written, calling?.unplanned);
      if (!facts.textRoundTrips && plan.steps.some(keepsRows)) throw lossyText();
      if (!facts.oneSnapshot) refuseChangingRecursions(plan.steps);
      const conditions = facts.oneSnapshot ? [] : sameVersion(request.text, plan.steps, facts.readable);
      const besides = slowStarts(request.text, statement);
      const execution = new Execution({
        plan,
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
        given,
      });
      const isBelow = statement.references.some(({ below }) => below);
      // Key queries, too, may read through functions and views.
      const { end: endQueries } = this.#calling.begin(work, { context, rows: new Map(), opaque: true });
      try {
        await execution.run().finally(endQueries);
        const final = execution.finalStatement(request.text, statement, besides, conditions);
        const begun = this.#calling.begin(work, { context, rows: execution.served(), opaque: !isBelow });
        const { run, end } = this.#calling.serve(work, final.text, begun);
        return {
          text: final.text,
          parameterTypes: final.parameters.types,
          parameters: final.parameters.values,
          origins: description.fields?.map(({ tableOid, attnum }) => ({ tableOid, attnum })),
          ...(kind === 'explain analyze' ? { explain: this.#explainer(work, planned, known, execution) } : {}),
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

  #explained(work: Work, planned: Planned, known: ReadonlyMap<Reference, KnownRestrictions>): Rewrite {
    return {
      text: work.request.text,
      parameterTypes: work.description.parameterTypes,
      parameters: work.request.parameters,
      origins: undefined,
      explain: this.#explainer(work, planned, known),
      holdUntilTransactionEnd: false,
      release: () => Promise.resolve(),
    };
  }

  #explainer(
    { reading, analysis }: Work,
    planned: Planned,
    known: ReadonlyMap<Reference, KnownRestrictions>,
    execution?: Execution,
  ): (lines: readonly string[]) => readonly string[] {
    const explanations = explainPlan(planned, analysis.statement.references, known, this.#sourceOf, (reference) =>
      execution?.statisticsOf(reference),
    );
    return explainer(reading.classified.explainFormat, explanations);
  }
}
