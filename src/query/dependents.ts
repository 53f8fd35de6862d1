import type { Catalog } from '../catalog/table.ts';
import { LearntNames } from './learnt-names.ts';
import { leadingIn, THINGS_SQL, wordsOf } from './leading.ts';

/** As much of the engine's pool as is needed here. */
export interface Queryable {
  query(text: string, values: unknown[]): Promise<{ readonly rows: unknown[] }>;
}

/** Until what was made out of our sight (by another process, by DDL inside a function), and nobody told of, is looked for again. */
const STALE_MS = 5_000;

/**
 * What users made that leads to virtual tables: a statement that names it may scan them, though it does not say so. A
 * statement that is missed is relayed, and its scans are bounded by what postgres_fdw ships, or refused.
 */
export class Dependents {
  readonly learnt = new LearntNames();
  readonly #catalog: Catalog;
  readonly #pool: Queryable | undefined;
  readonly #now: () => number;
  #names: ReadonlySet<string> = new Set();
  /** Names that are no plain words, in lower case. */
  #odd: readonly string[] = [];
  /** Input columns of virtual tables that functions name. */
  #written: ReadonlySet<string> = new Set();
  /** Made by statements that have passed, and perhaps not committed yet. */
  #noted = new Set<string>();
  #stale = true;
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  /** Without a pool nothing is known but what passes. */
  constructor(catalog: Catalog, pool: Queryable | undefined, now: () => number = Date.now) {
    this.#catalog = catalog;
    this.#pool = pool;
    this.#now = now;
  }

  /** Cheap, no parse. @param lower the text in lower case */
  mayBeNamedIn(lower: string): boolean {
    if (this.#pool === undefined) return false;
    if (mayDefine(lower)) this.#stale = true;
    // Asked for before the next look, which is that of a statement that comes after what has changed something.
    else if (this.#stale) return true;
    if (this.#now() - this.#readAt > STALE_MS) void this.refresh().catch(() => undefined);
    if (this.#names.size === 0 && this.#noted.size === 0) return false;
    if (this.#odd.some((name) => lower.includes(name))) return true;
    for (const word of wordsOf(lower)) if (this.#names.has(word) || this.#noted.has(word)) return true;
    return false;
  }

  has(name: string): boolean {
    const lower = name.toLowerCase();
    return this.#names.has(lower) || this.#noted.has(lower);
  }

  /** Whether the text of a function names an input column. */
  isWritten(name: string): boolean {
    return this.#written.has(name);
  }

  /** A statement that makes something is on its way: its name counts from now on. */
  note(made: string | undefined): void {
    if (made === undefined) return;
    this.#stale = true;
    this.#noted.add(made.toLowerCase());
  }

  /** The catalog has changed, or something was made elsewhere: what comes next waits for another look. */
  forget(): void {
    this.#stale = true;
  }

  async refreshIfStale(): Promise<void> {
    if (this.#stale) await this.refresh();
  }

  async refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    await this.#reading;
  }

  async #read(): Promise<void> {
    if (this.#pool === undefined) return;
    this.#stale = false;
    this.#readAt = this.#now();
    const ours = this.#catalog.views.map(({ oid }) => oid);
    const { rows } = await this.#pool.query(THINGS_SQL, [ours]).catch((error: unknown) => {
      this.#stale = true;
      throw error;
    });
    const [answer] = rows as readonly { readonly things: string }[];
    const { names, words } = leadingIn(answer?.things ?? '[]', this.#catalog);
    this.learnt.update(names, this.#now());
    this.#names = names;
    const inputs = this.#catalog.tables.flatMap(({ columns }) => columns.filter(({ key }) => key === 'input'));
    this.#written = new Set(inputs.map(({ name }) => name).filter((name) => words.has(name)));
    this.#odd = [...names].filter((name) => wordsOf(name).length !== 1 || wordsOf(name)[0] !== name);
  }
}

/** As words: what hunts look for is called CreateUser. */
function mayDefine(lower: string): boolean {
  if (!lower.includes('create') && !lower.includes('alter')) return false;
  return wordsOf(lower).some((word) => word === 'create' || word === 'alter');
}
