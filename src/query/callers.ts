import type { VirtualTable } from '../catalog/table.ts';
import type { StatementSettings } from '../hydrate/hydrator.ts';
import type { ServedRows } from './served-rows.ts';

/** A client's statement while it runs, as what comes back through postgres_fdw finds it. */
export interface CallingStatement {
  readonly settings: StatementSettings;
  /** trailhound.max_lookups bounds what all scans of the statement spend together. */
  readonly budget: object;
  /** When statement_timeout ends it, in milliseconds since the epoch; undefined: never. */
  readonly deadline: number | undefined;
  /** Aborted by cancel, disconnect and shutdown. */
  readonly signal: AbortSignal;
  notice(severity: 'NOTICE' | 'WARNING', message: string): void;
  /** What was hydrated for its mentions below views and functions, by table: each has all that its mentions can need. */
  readonly rows: ReadonlyMap<VirtualTable, ServedRows>;
  /** It runs something whose text says not what it reads (PL/pgSQL, views that are not planned): any table may be scanned. */
  readonly opaque: boolean;
  /** Why something of it was not planned, a sentence for a hint. */
  readonly unplanned: string | undefined;
  /** Whether its text, or that of a function which it may run, has a name: what scans may then be chosen from by it. */
  writes(name: string): boolean;
}

/** A cursor whose FETCH scans tables below views. */
export interface OpenCursor {
  /** As pg_cursors has it: a cursor that was made in its place would have another. */
  readonly text: string;
  readonly statement: CallingStatement;
}

/** The statements that run on clients' backends, by the backend's pid: postgres_fdw says that, and no more, of who scans. */
export class Callers {
  readonly #byPid = new Map<number, CallingStatement[]>();
  readonly #running = new Map<number, CallingStatement>();
  readonly #cursors = new Map<number, Map<string, OpenCursor>>();
  readonly #scanning = new Set<number>();

  /** A backend that runs a scan of postgres_fdw: what it scans itself would come back once more. @returns ends it */
  beginScan(pid: number): () => void {
    this.#scanning.add(pid);
    return () => void this.#scanning.delete(pid);
  }

  isScanning(pid: number): boolean {
    return this.#scanning.has(pid);
  }

  /** @returns ends it; idempotent */
  begin(pid: number, statement: CallingStatement): () => void {
    this.#byPid.set(pid, [...(this.#byPid.get(pid) ?? []), statement]);
    return () => {
      const left = (this.#byPid.get(pid) ?? []).filter((one) => one !== statement);
      if (left.length === 0) this.#byPid.delete(pid);
      else this.#byPid.set(pid, left);
    };
  }

  /**
   * From now on the backend works on nothing but a message that runs the statement. Portals and cursors are open longer,
   * and what else runs meanwhile may scan the same tables.
   *
   * @returns ends it
   */
  run(pid: number, statement: CallingStatement): () => void {
    this.#running.set(pid, statement);
    return () => {
      if (this.#running.get(pid) === statement) this.#running.delete(pid);
    };
  }

  /** @returns ends it; idempotent */
  openCursor(pid: number, name: string, cursor: OpenCursor): () => void {
    const own = this.#cursors.get(pid) ?? new Map<string, OpenCursor>();
    this.#cursors.set(pid, own.set(name, cursor));
    return () => {
      if (own.get(name) === cursor) own.delete(name);
      if (own.size === 0) this.#cursors.delete(pid);
    };
  }

  hasCursors(pid: number): boolean {
    return this.#cursors.has(pid);
  }

  cursorOf(pid: number, name: string): OpenCursor | undefined {
    return this.#cursors.get(pid)?.get(name);
  }

  /** The statement that runs on a backend, or else the last one that began. */
  statementOf(pid: number): CallingStatement | undefined {
    return this.#running.get(pid) ?? this.#byPid.get(pid)?.at(-1);
  }

  /** The rows that stand for an unbounded scan of a table by a backend: of the very statement that runs there. */
  rowsFor(pid: number, table: VirtualTable): ServedRows | undefined {
    const running = this.#running.get(pid);
    return running?.opaque === false ? running.rows.get(table) : undefined;
  }
}
