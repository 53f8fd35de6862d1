import type { ClientBackend } from '../../../src/query/backend.ts';
import type { QueryPipeline, Rewrite, RewriteRequest, StatementText } from '../../../src/query/pipeline.ts';

const NAME = 'virtual_demo';
const INT_ARRAY_OID = 1007;

export interface FakePipelineOptions {
  /** The rows of `virtual_demo`, column x; may use the backend, throw, or wait for the signal. */
  hydrate?: (request: RewriteRequest, backend: ClientBackend) => Promise<readonly number[]>;
  explain?: Rewrite['explain'];
  holdUntilTransactionEnd?: boolean;
}

/**
 * Replaces the identifier `virtual_demo` by rows that the test gives. Splits at semicolons: tests put none into strings.
 */
export class FakePipeline implements QueryPipeline {
  options: FakePipelineOptions = {};
  /** Texts that were rewritten, in order. */
  readonly rewritten: string[] = [];
  readonly requests: RewriteRequest[] = [];
  released = 0;

  reset(options: FakePipelineOptions = {}): void {
    this.options = options;
    this.rewritten.length = 0;
    this.requests.length = 0;
    this.released = 0;
  }

  mayConcern(text: string): boolean {
    return text.includes(NAME);
  }

  split(text: string): readonly StatementText[] | undefined {
    if (text.includes('syntax error')) return undefined;
    const parts: StatementText[] = [];
    let start = 0;
    for (const raw of text.split(';')) {
      const statement = raw.trimStart();
      if (statement.trim() !== '' && !statement.startsWith('--')) {
        const before = text.slice(0, start + raw.length - statement.length);
        parts.push({ text: statement, offset: Array.from(before).length, describedFirst: true });
      }
      start += raw.length + 1;
    }
    return parts;
  }

  async rewrite(request: RewriteRequest, backend: ClientBackend): Promise<Rewrite | undefined> {
    if (!named(request.text)) return undefined;
    this.requests.push(request);
    const rows = (await this.options.hydrate?.(request, backend)) ?? [1, 2, 3];
    const { rows: oids } = await backend.query({ text: `select '${NAME}'::regclass::oid` });
    const number = Math.max(request.parameters.length, request.parameterTypes.length) + 1;
    this.rewritten.push(request.text);
    const parameter = { format: 0 as const, value: Buffer.from(`{${rows.join(',')}}`) };
    const star = /^(explain )?select \* from virtual_demo/u.test(request.text);
    return {
      text: request.text.replaceAll(
        /\bvirtual_demo\b/gu,
        `(select * from pg_catalog.unnest($${number}::int[]) as _(x)) as ${NAME}`,
      ),
      parameterTypes: [...request.parameterTypes, INT_ARRAY_OID],
      parameters: [...request.parameters, parameter],
      origins: star ? [{ tableOid: Number(oids[0]?.[0]), attnum: 1 }] : undefined,
      explain: request.text.startsWith('explain') ? this.options.explain : undefined,
      holdUntilTransactionEnd: this.options.holdUntilTransactionEnd ?? false,
      release: async () => {
        this.released += 1;
      },
    };
  }
}

/** In neither a comment nor a literal: psql's own queries have names in literals. */
function named(text: string): boolean {
  return /\bvirtual_demo\b/u.test(text.replaceAll(/--.*$|'[^']*'/gmu, ''));
}
