import type { Catalog } from '../catalog/table.ts';

/** As much of the engine's pool as is needed here. */
export interface Queryable {
  query(text: string, values: unknown[]): Promise<{ readonly rows: unknown[] }>;
}

interface Thing {
  readonly kind: 'relation' | 'function';
  /** Unsigned: as text it is the same in JSON and here. */
  readonly oid: string;
  readonly name: string;
  readonly needs: readonly string[] | null;
  /** Of a function whose body is text. */
  readonly body: string | null;
}

/** Users' views, tables with triggers or policies, and functions whose bodies can be read, with what each depends on. */
const THINGS_SQL = `
  with user_relation as (
    select c.oid, c.relname, c.relkind from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.oid >= 16384 and c.relkind in ('v', 'm', 'r', 'p') and c.oid <> all ($1::oid[])
      and n.nspname not in ('source', 'trailhound', 'trailhound_rows', 'pg_toast')
  ), need as (
    select w.ev_class as oid, d.refobjid from pg_catalog.pg_rewrite w
      join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and d.objid = w.oid
    union all select t.tgrelid, t.tgfoid from pg_catalog.pg_trigger t where not t.tgisinternal
    union all select p.polrelid, d.refobjid from pg_catalog.pg_policy p
      join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass and d.objid = p.oid
    union all select d.objid, d.refobjid from pg_catalog.pg_depend d
      where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
        and d.refclassid in ('pg_catalog.pg_class'::pg_catalog.regclass, 'pg_catalog.pg_proc'::pg_catalog.regclass)
  )
  select 'relation' as kind, r.oid::text as oid, r.relname as name, null as body,
      (select pg_catalog.array_agg(distinct n.refobjid::text) from need n where n.oid = r.oid and n.refobjid <> r.oid) as needs
    from user_relation r where exists (select from need n where n.oid = r.oid and n.refobjid <> r.oid)
  union all
  select 'function', p.oid::text, p.proname, case when p.prosqlbody is null then pg_catalog.lower(p.prosrc) end,
      (select pg_catalog.array_agg(distinct n.refobjid::text) from need n where n.oid = p.oid)
    from pg_catalog.pg_proc p
      join pg_catalog.pg_language l on l.oid = p.prolang join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where p.oid >= 16384 and l.lanname not in ('c', 'internal') and n.nspname not in ('pg_catalog', 'trailhound')`;

/** Until what was made out of our sight (by another process, by DDL inside a function) is looked for again. */
const STALE_MS = 5_000;

/**
 * What users made that leads to virtual tables: a statement that names it may scan them, though it does not say so. A
 * statement that is missed is relayed, and its scans are bounded by what postgres_fdw ships, or refused.
 */
export class Dependents {
  readonly #catalog: Catalog;
  readonly #pool: Queryable | undefined;
  readonly #now: () => number;
  #names: ReadonlySet<string> = new Set();
  /** Names that are no plain words, in lower case. */
  #odd: readonly string[] = [];
  #oids: ReadonlySet<string> = new Set();
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
    if (lower.includes('create') || lower.includes('alter')) this.#stale = true;
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

  hasOid(oid: number): boolean {
    return this.#oids.has(String(oid));
  }

  /** A statement that makes something is on its way: its name counts from now on. */
  note(made: string | undefined): void {
    if (made === undefined) return;
    this.#stale = true;
    this.#noted.add(made.toLowerCase());
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
    this.#take(rows as Thing[]);
  }

  #take(things: readonly Thing[]): void {
    const virtual = [...this.#catalog.views, ...this.#catalog.tables];
    const oids = new Set(virtual.map(({ oid }) => String(oid)));
    const words = new Set([...virtual.map(({ name }) => name), 'execute']);
    const found = new Set<Thing>();
    for (let before = -1; before < found.size;) {
      before = found.size;
      for (const thing of things) {
        const needs = thing.needs?.some((oid) => oids.has(oid)) === true;
        if (
          found.has(thing) ||
          !(needs || (thing.body !== null && wordsOf(thing.body).some((word) => words.has(word))))
        )
          continue;
        found.add(thing);
        oids.add(thing.oid);
        words.add(thing.name.toLowerCase());
      }
    }
    const names = [...found].map(({ name }) => name.toLowerCase());
    this.#names = new Set(names);
    this.#odd = names.filter((name) => wordsOf(name).length !== 1 || wordsOf(name)[0] !== name);
    this.#oids = new Set([...found].map(({ oid }) => oid));
  }
}

/** Runs of letters, digits, `_`, `$` and whatever is not ASCII, as identifiers are made of. */
function wordsOf(text: string): string[] {
  const words: string[] = [];
  let start = -1;
  for (let at = 0; at <= text.length; at += 1) {
    const inside = at < text.length && isWordCode(text.charCodeAt(at));
    if (inside && start === -1) start = at;
    else if (!inside && start !== -1) {
      words.push(text.slice(start, at));
      start = -1;
    }
  }
  return words;
}

function isWordCode(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || code === 95 || code === 36 || code > 127;
}
