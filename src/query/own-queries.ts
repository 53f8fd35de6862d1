import type { HydratedRows, Hydrator, Row, StatementContext, StoredColumn } from '../hydrate/hydrator.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import type { ClientBackend, InjectedResult, Parameter } from './backend.ts';
import { columnTypesSql } from './column-types.ts';
import { ParameterList } from './parameters.ts';
import type { Placeholders } from './placeholders.ts';

/** pg_type's oids of record and record[]. */
const ANONYMOUS: ReadonlySet<number> = new Set([2249, 2287]);

/** The client's own parameters. */
export interface ClientParameters {
  readonly types: readonly number[];
  readonly values: readonly Parameter[];
}

/** A plan's own queries on the client's backend, and keeping what they give. */
export class OwnQueries {
  readonly #backend: ClientBackend;
  readonly #client: ClientParameters;
  readonly #placeholders: Placeholders;
  readonly #hydrator: Hydrator;
  readonly #context: StatementContext;

  constructor(options: {
    backend: ClientBackend;
    client: ClientParameters;
    placeholders: Placeholders;
    hydrator: Hydrator;
    context: StatementContext;
  }) {
    this.#backend = options.backend;
    this.#client = options.client;
    this.#placeholders = options.placeholders;
    this.#hydrator = options.hydrator;
    this.#context = options.context;
  }

  newParameters(): ParameterList {
    return new ParameterList(this.#client.types, this.#client.values);
  }

  substituted(text: string, parameters: ParameterList): string {
    return this.#placeholders.substituted(text, parameters);
  }

  async run(text: string, maxRows: number): Promise<InjectedResult> {
    const parameters = this.newParameters();
    const own = this.substituted(text, parameters);
    const { types: parameterTypes, values } = parameters;
    return this.#backend.query({ text: own, parameterTypes, parameters: values, maxRows });
  }

  /** @param text the query that the result is of */
  async columnsOf(result: InjectedResult, text: string): Promise<StoredColumn[]> {
    if (result.fields.some(({ typeOid }) => ANONYMOUS.has(typeOid))) throw rowAsColumn();
    if (result.fields.length === 0) return [];
    const { rows } = await this.run(columnTypesSql(result.fields, text), 1);
    return result.fields.map((_field, index) => ({ name: `c${String(index + 1)}`, type: rows[0]?.[index] ?? 'text' }));
  }

  store(columns: readonly StoredColumn[], rows: readonly Row[]): Promise<HydratedRows> {
    return this.#hydrator.store(columns, single(rows), this.#context);
  }
}

async function* single<T>(value: T): AsyncIterable<T> {
  yield await Promise.resolve(value);
}

function rowAsColumn(): TrailhoundError {
  return new TrailhoundError('not_supported', 'a level that gives keys cannot have a whole row as a column', {
    detail: 'Its rows are kept until the statement runs, and PostgreSQL reads no row without a named type back.',
    hint: 'Select the columns that you need, or to_jsonb(row).',
  });
}
