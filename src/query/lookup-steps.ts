import type { Hydrator, StatementContext } from '../hydrate/hydrator.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import type { Reference } from '../planner/statement.ts';
import type { Step } from '../planner/steps.ts';
import type { KnownRestrictions } from './constants.ts';
import { withInputs } from './lookup-keys.ts';
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

  constructor(options: {
    restrictions: ReadonlyMap<Reference, KnownRestrictions>;
    hydrator: Hydrator;
    context: StatementContext;
    placeholders: Placeholders;
    own: OwnQueries;
    shared: SharedRequests;
    /** The statement sees what the key queries saw. */
    oneSnapshot: boolean;
  }) {
    this.#restrictions = options.restrictions;
    this.#hydrator = options.hydrator;
    this.#context = options.context;
    this.#placeholders = options.placeholders;
    this.#own = options.own;
    this.#shared = options.shared;
    this.#oneSnapshot = options.oneSnapshot;
  }

  async lookUp(step: Lookup): Promise<void> {
    await this.#ask(step, await this.#keysOf(step));
  }

  /** The same keys again cost no call. */
  async *lookUpInBatches(step: Lookup): AsyncGenerator<'more' | 'last'> {
    const { concurrency, maxLookups } = this.#context.settings;
    const keys = await this.#keysOf(step);
    for (let count = concurrency; count < keys.length; count = nextCount(count, maxLookups)) {
      await this.#ask(step, keys.slice(0, count));
      yield 'more';
    }
    await this.#ask(step, keys);
    yield 'last';
  }

  async #keysOf({ queries, reference }: Lookup): Promise<readonly string[]> {
    const keys = new Set<string>();
    if (this.#restrictions.get(reference)?.contradiction === true) return [];
    for (const query of queries) {
      const { rows, complete } = await this.#own.run(query, MAX_KEYS);
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
      await this.#placeholders.fill(reference, { rows: 'empty', guard: undefined });
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
    await this.#placeholders.fill(reference, { rows, guard: undefined, keys });
    if (!step.ordinary || this.#oneSnapshot) return;
    this.#placeholders.guardBy(reference, await missingKeysGuard(step.queries, step.key.type, keys, this.#own));
  }
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
