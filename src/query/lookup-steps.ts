import type { Column } from '../catalog/table.ts';
import type { Hydrator, StatementContext } from '../hydrate/hydrator.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import type { Reference } from '../planner/statement.ts';
import type { InputKeys, Step } from '../planner/steps.ts';
import type { Source } from '../sources/source.ts';
import type { KnownRestrictions } from './constants.ts';
import { allOf } from './guard.ts';
import { noticesOf, withReach } from './lookup-notices.ts';
import { inputValue, pairedColumn, pairedWith, withInputs } from './lookup-keys.ts';
import { missingKeysGuard } from './missing-keys.ts';
import type { OwnQueries } from './own-queries.ts';
import type { Placeholders } from './placeholders.ts';
import type { SharedRequests } from './shared-requests.ts';

type Lookup = Extract<Step, { kind: 'lookup' }>;

/** Far beyond any budget of calls; each is held as a text. */
const MAX_KEYS = 250_000;

/** Asks for the keys that a plan's key queries give. */
export class LookupSteps {
  readonly #restrictions: ReadonlyMap<Reference, KnownRestrictions>;
  readonly #hydrator: Hydrator;
  readonly #context: StatementContext;
  readonly #placeholders: Placeholders;
  readonly #own: OwnQueries;
  readonly #shared: SharedRequests;
  readonly #oneSnapshot: boolean;
  readonly #sourceOf: (name: string) => Source | undefined;

  constructor(options: {
    restrictions: ReadonlyMap<Reference, KnownRestrictions>;
    hydrator: Hydrator;
    context: StatementContext;
    placeholders: Placeholders;
    own: OwnQueries;
    shared: SharedRequests;
    /** The statement sees what the key queries saw. */
    oneSnapshot: boolean;
    sourceOf: (name: string) => Source | undefined;
  }) {
    this.#restrictions = options.restrictions;
    this.#hydrator = options.hydrator;
    this.#context = options.context;
    this.#placeholders = options.placeholders;
    this.#own = options.own;
    this.#shared = options.shared;
    this.#oneSnapshot = options.oneSnapshot;
    this.#sourceOf = options.sourceOf;
  }

  async lookUp(step: Lookup): Promise<void> {
    await this.#ask(step, await this.#asked(step));
  }

  /** The same keys again cost no call. */
  async *lookUpInBatches(step: Lookup): AsyncGenerator<'more' | 'last'> {
    const { concurrency, maxLookups } = this.#context.settings;
    const asked = await this.#asked(step);
    const { rows } = asked;
    for (let count = concurrency; count < rows.length; count = nextCount(count, maxLookups)) {
      await this.#ask(step, { ...asked, rows: rows.slice(0, count) });
      yield 'more';
    }
    await this.#ask(step, asked);
    yield 'last';
  }

  async #asked({ queries, inputs, reference }: Lookup): Promise<Asked> {
    if (this.#restrictions.get(reference)?.contradiction === true) return { rows: [], inputs: new Map() };
    const rows = await this.#distinct(queries, reference);
    const values = new Map<InputKeys, readonly string[]>();
    for (const input of inputs)
      if (input.queries !== undefined) values.set(input, await this.#distinct(input.queries, reference));
    return { rows, inputs: values };
  }

  async #distinct(queries: readonly string[], { view }: Reference): Promise<readonly string[]> {
    const found = new Set<string>();
    for (const query of queries) {
      const { rows, complete } = await this.#own.run(query, MAX_KEYS);
      if (!complete) throw tooManyKeys(view.table.name, this.#context.settings.maxLookups);
      for (const [key] of rows) if (key !== null && key !== undefined) found.add(key);
    }
    return [...found];
  }

  async #ask(step: Lookup, { rows: asked, inputs }: Asked): Promise<void> {
    const { reference, from } = step;
    const { table } = reference.view;
    const known = this.#restrictions.get(reference);
    if (known?.contradiction === true) {
      await this.#placeholders.fill(reference, { rows: 'empty', guard: undefined });
      return;
    }
    const paired = pairedColumn(step.inputs);
    const predicates = withReach(known, step, this.#sourceOf(table.source));
    const values = new Map([...inputs].map(([{ column }, texts]) => [column, valuesOf(column, texts)]));
    const keys =
      paired === undefined
        ? withInputs(asked, reference, predicates, values)
        : pairedWith(paired, asked, reference, predicates);
    for (const notice of noticesOf(step, known, predicates, asked.length, this.#sourceOf(table.source)))
      this.#context.notice('NOTICE', notice);
    const rows = await this.#hydrator.lookup(
      { table, keys, columns: this.#shared.columnsOf(reference), keyExpression: from },
      this.#context,
    );
    await this.#placeholders.fill(reference, { rows, guard: undefined, keys: keys.map(({ key }) => key) });
    if (!step.ordinary || this.#oneSnapshot) return;
    const type = paired === undefined ? step.key.type : 'text';
    const guards = [await missingKeysGuard(step.queries, type, asked, this.#own)];
    for (const [{ queries = [] }, texts] of inputs)
      guards.push(await missingKeysGuard(queries, 'text', texts, this.#own));
    this.#placeholders.guardBy(reference, allOf(guards));
  }
}

/** What the queries of a look-up gave. */
interface Asked {
  readonly rows: readonly string[];
  readonly inputs: ReadonlyMap<InputKeys, readonly string[]>;
}

function valuesOf(column: Column, texts: readonly string[]): readonly string[] {
  return texts.flatMap((text) => inputValue(column, text) ?? []);
}

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

/** Four times as many, but what is allowed is tried before what is not. */
function nextCount(count: number, allowed: number): number {
  return count < allowed && 4 * count > allowed ? allowed : 4 * count;
}
