import type { Reference, Statement } from '../planner/statement.ts';
import type { StatementContext } from '../hydrate/hydrator.ts';
import type { ClientBackend } from './backend.ts';
import type { Below } from './below.ts';
import { Callers, type CallingStatement } from './callers.ts';
import { columnsToFetch } from './hydrated-sql.ts';
import { ParameterList } from './parameters.ts';
import type { Rewrite, RewriteRequest } from './pipeline.ts';
import { cameBack } from './refusals.ts';
import type { ServedRows } from './served-rows.ts';
import { contextOf } from './statement-context.ts';
import type { Asked, Work } from './work.ts';

/** A statement whose backend may scan through postgres_fdw from now on; undefined: nobody could tell that backend. */
export interface Begun {
  readonly statement: CallingStatement | undefined;
  readonly end: () => void;
}

/** What the statements of this process and the scans that postgres_fdw makes for them say of each other. */
export class CallingStatements {
  readonly #callers = new Callers();
  readonly #functionsWrite: (name: string) => boolean;

  /** @param functionsWrite whether the text of a user's function has a name */
  constructor(functionsWrite: (name: string) => boolean) {
    this.#functionsWrite = functionsWrite;
  }

  hasCursors(pid: number): boolean {
    return this.#callers.hasCursors(pid);
  }

  /** Whether that backend runs a statement of which this process knows. */
  knows(pid: number): boolean {
    return this.#callers.statementOf(pid) !== undefined;
  }

  /** FETCH of a cursor over what was hydrated for it, which goes as it is. */
  async fetch({ pid, text }: RewriteRequest, name: string, backend: ClientBackend): Promise<Rewrite | undefined> {
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

  /** For a scan of postgres_fdw: the rows that were hydrated for the statement that it belongs to. */
  servedTo({ caller }: RewriteRequest): ((reference: Reference) => ServedRows | undefined) | undefined {
    if (caller === undefined) return undefined;
    return (reference) => {
      const rows = this.#callers.rowsFor(caller, reference.view.table);
      const wanted = columnsToFetch(reference);
      return rows?.parts.length === 0 || wanted.every(({ name }) => rows?.columns.has(name)) ? rows : undefined;
    };
  }

  scan({ caller, pid }: RewriteRequest): { calling: CallingStatement | undefined; release: () => void } {
    if (caller === undefined) return { calling: undefined, release: () => undefined };
    if (this.#callers.isScanning(caller)) throw cameBack();
    const release = pid === undefined ? () => undefined : this.#callers.beginScan(pid);
    return { calling: this.#callers.statementOf(caller), release };
  }

  /** The rows of those references that have theirs already. */
  given(request: RewriteRequest, { references }: Statement): ReadonlyMap<Reference, ServedRows> {
    const served = this.servedTo(request);
    return new Map(
      references.flatMap((reference) => {
        const rows = served?.(reference);
        return rows === undefined ? [] : [[reference, rows] as const];
      }),
    );
  }

  /** From now on scans that its backend asks postgres_fdw for run as part of the statement. */
  begin(
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
      writes: (name) => request.text.toLowerCase().includes(name) || this.#functionsWrite(name),
    };
    return { statement, end: this.#callers.begin(pid, statement) };
  }

  /** Where rows of it wait for scans, these get them while it runs, and at no other time. */
  serve(
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
}

const CURSOR_SQL = 'select c.statement from pg_catalog.pg_cursors c where c.name operator(pg_catalog.=) $1';
