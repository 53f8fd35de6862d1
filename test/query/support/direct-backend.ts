import { pgTypes as types } from '../../../src/engine/client.ts';
import type { Client } from '../../../src/engine/client.ts';
import {
  BackendError,
  type ClientBackend,
  type Description,
  type ExecuteText,
  type InjectedResult,
  type InjectedStatement,
  type Parameter,
} from '../../../src/query/backend.ts';
import { withName } from '../../../src/session/execute-arguments.ts';
import { parseStatements } from '../../../src/sql/parse.ts';

/** What pg sends in Parse, which counts parameters that the text never names, and how it reads columns. */
export function declared(oids: readonly number[], parser?: (text: string) => unknown) {
  const parsers: { getTypeParser(oid: number): (text: string) => unknown } = types;
  return Object.assign([...oids], { getTypeParser: (oid: number) => parser ?? parsers.getTypeParser(oid) });
}

/** pg sends texts as text and buffers as binary. */
export function sent({ format, value }: Parameter): string | Buffer | null {
  return format === 0 ? (value?.toString() ?? null) : value;
}

/** The pipeline's view of a backend, over pg's client instead of a relayed session. */
export class DirectBackend implements ClientBackend {
  readonly #client: Client;
  readonly transactionStatus = 'I';
  readonly texts: string[] = [];
  #prepared = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(client: Client) {
    this.#client = client;
  }

  async query(statement: InjectedStatement): Promise<InjectedResult> {
    this.texts.push(statement.text);
    // The pipeline sends several at once; pg's client takes one at a time.
    const answer = this.#last.then(() => this.#run(statement));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  async #run(statement: InjectedStatement): Promise<InjectedResult> {
    try {
      const result = await this.#client.query({
        text: statement.text,
        values: (statement.parameters ?? []).map(sent),
        rowMode: 'array',
        types: declared(statement.parameterTypes ?? [], (text) => text),
      });
      return {
        fields: result.fields.map((field) => ({
          name: field.name,
          tableOid: field.tableID,
          attnum: field.columnID,
          typeOid: field.dataTypeID,
          typeModifier: field.dataTypeModifier,
        })),
        complete: result.rows.length <= (statement.maxRows ?? Number.POSITIVE_INFINITY),
        rows: (result.rows as (string | null)[][]).slice(0, statement.maxRows),
      };
    } catch (error) {
      const { message, code, hint } = error as Error & { code?: string; hint?: string };
      const fields = new Map([['M', message]]);
      if (code !== undefined) fields.set('C', code);
      if (hint !== undefined) fields.set('H', hint);
      throw new BackendError(fields);
    }
  }

  async describe(text: string, parameterTypes: readonly number[]): Promise<Description> {
    // PREPARE of SQL takes fewer kinds of statements than Parse does; the others are left to the statement itself.
    const [only] = parseStatements(text) ?? [];
    const preparable =
      only !== undefined &&
      ['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'].some((kind) => kind in only.node);
    if (!preparable) return { parameterTypes, fields: undefined };
    const types = parameterTypes.map((oid) => (oid === 0 ? "'unknown'" : `format_type(${String(oid)}, null)`));
    const named =
      types.length === 0 ? undefined : await this.query({ text: `select concat_ws(', ', ${types.join(', ')})` });
    const list = named === undefined ? '' : ` (${named.rows[0]?.[0] ?? ''})`;
    await this.query({ text: `prepare described${list} as ${text}` });
    const { rows } = await this.query({
      text: `select array_to_json(parameter_types::oid[]::int[]) from pg_prepared_statements where name = 'described'`,
    });
    await this.query({ text: 'deallocate described' });
    return { parameterTypes: JSON.parse(rows[0]?.[0] ?? '[]') as number[], fields: undefined };
  }

  describePrepared(): Promise<Description> {
    return Promise.resolve({ parameterTypes: [], fields: undefined });
  }

  async executeArguments(execute: ExecuteText, types: readonly number[]): Promise<InjectedResult> {
    const named = await this.query({
      text: `select ${types.map((oid) => `format_type(${String(oid)}, null)`).join(` || ', ' || `)}`,
    });
    const columns = types.map((_type, index) => `$${String(index + 1)}`);
    // What fails leaves it behind.
    this.#prepared += 1;
    const name = `arguments_${String(this.#prepared)}`;
    await this.query({ text: `prepare ${name} (${named.rows[0]?.[0] ?? ''}) as select ${columns.join(', ')}` });
    const result = await this.query({ text: withName(execute, name) });
    await this.query({ text: `deallocate ${name}` });
    return result;
  }
}
