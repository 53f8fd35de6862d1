import type { Client } from '../../../src/engine/client.ts';
import {
  BackendError,
  type ClientBackend,
  type Description,
  type InjectedResult,
  type InjectedStatement,
} from '../../../src/query/backend.ts';

/** The pipeline's view of a backend, over pg's client instead of a relayed session. */
export class DirectBackend implements ClientBackend {
  readonly #client: Client;
  readonly transactionStatus = 'I';
  readonly texts: string[] = [];

  constructor(client: Client) {
    this.#client = client;
  }

  async query(statement: InjectedStatement): Promise<InjectedResult> {
    this.texts.push(statement.text);
    try {
      const result = await this.#client.query({
        text: statement.text,
        values: (statement.parameters ?? []).map(({ value }) => value),
        rowMode: 'array',
        types: { getTypeParser: () => (text: string) => text },
      });
      return {
        fields: result.fields.map((field) => ({
          name: field.name,
          tableOid: field.tableID,
          attnum: field.columnID,
          typeOid: field.dataTypeID,
          typeModifier: field.dataTypeModifier,
        })),
        rows: result.rows as (string | null)[][],
      };
    } catch (error) {
      const { message, code, hint } = error as Error & { code?: string; hint?: string };
      const fields = new Map([['M', message]]);
      if (code !== undefined) fields.set('C', code);
      if (hint !== undefined) fields.set('H', hint);
      throw new BackendError(fields);
    }
  }

  describe(_text: string, parameterTypes: readonly number[]): Promise<Description> {
    return Promise.resolve({ parameterTypes, fields: undefined });
  }
}
