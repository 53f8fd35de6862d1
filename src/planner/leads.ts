import type { SelectStmt } from '@pgsql/types';
import { bare, walk } from '../sql/walk.ts';
import {
  candidatesOf,
  partsOf,
  RUNS_TEXT,
  type CalledFunction,
  type Definitions,
  type NamedRelation,
} from './definitions.ts';

/** Which views and functions lead to virtual tables, by whatever way. */
export class Leads {
  readonly #definitions: Definitions;
  readonly #unread: (oid: number, name: string) => boolean;
  readonly #known = new Map<object, boolean>();

  /** @param unread whether what is not read here (PL/pgSQL, a trigger, a policy) leads to virtual tables */
  constructor(definitions: Definitions, unread: (oid: number, name: string) => boolean) {
    this.#definitions = definitions;
    this.#unread = unread;
  }

  has(thing: NamedRelation | CalledFunction): boolean {
    const known = this.#known.get(thing);
    if (known !== undefined) return known;
    this.#known.set(thing, false);
    const query = 'body' in thing ? thing.body : thing.query;
    const found =
      ('kind' in thing && thing.kind === 'virtual') ||
      (query === undefined ? this.#unread(thing.oid, thing.name) : this.#hasQuery(query));
    this.#known.set(thing, found);
    return found;
  }

  #hasQuery(query: SelectStmt): boolean {
    const definitions = this.#definitions;
    let found = partsOf(query, definitions).some((part) => part.kind !== 'materialized view' && this.has(part));
    walk(query, (node, kind) => {
      const call = kind === 'FuncCall' ? bare(node, 'FuncCall') : undefined;
      if (call === undefined) return undefined;
      const name = bare(call.funcname?.at(-1), 'String')?.sval ?? '';
      if (RUNS_TEXT.has(name) || candidatesOf(call, definitions).some((each) => this.has(each))) found = true;
      return undefined;
    });
    return found;
  }
}
