import type { Node } from '@pgsql/types';
import { scanTokens, type Token } from './parse.ts';
import { firstLocation, lastLocation } from './walk.ts';

/** Bytes [start, end) of a text, and what stands there instead. */
export interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Where EXECUTE stands in a text, in bytes. */
export interface Execution {
  readonly start: number;
  readonly nameStart: number;
  readonly nameEnd: number;
  /** Behind its arguments. */
  readonly end: number;
  /** CREATE TABLE … AS EXECUTE. */
  readonly afterAs: boolean;
}

/** The text with the replacements made; everything else stays the user's own. Outer replacements win over inner ones. */
export function replaceBytes(text: string, replacements: readonly Replacement[]): string {
  const bytes = Buffer.from(text);
  const parts: (Buffer | string)[] = [];
  let at = 0;
  const isInsertion = ({ start, end }: Replacement): number => (start === end ? 0 : 1);
  const ordered = [...replacements].sort(
    (a, b) => a.start - b.start || isInsertion(a) - isInsertion(b) || b.end - a.end,
  );
  for (const { start, end, text: own } of ordered) {
    if (start < at) continue;
    parts.push(bytes.subarray(at, start), own);
    at = end;
  }
  parts.push(bytes.subarray(at));
  return parts.map((part) => part.toString()).join('');
}

const OPENS_QUERY: ReadonlySet<string> = new Set([
  ...['select', 'values', 'table', 'with', 'insert', 'update', 'delete', 'merge'],
]);
/** What stands behind the parentheses of a query that is part of another one, and not an entry of FROM or an operand. */
const FOLLOWS_QUERY: ReadonlySet<string> = new Set([
  ...[')', '', 'union', 'intersect', 'except', 'order', 'limit', 'offset', 'fetch', 'for'],
]);
/** Reserved words that follow a FROM clause and its WHERE. */
const AFTER_WHERE: ReadonlySet<string> = new Set([
  ...[
    'group',
    'having',
    'window',
    'union',
    'intersect',
    'except',
    'order',
    'limit',
    'offset',
    'fetch',
    'for',
    'returning',
  ],
]);

/** Finds by tokens what the tree does not locate: where a reference or a subquery begins and ends. */
export class Slices {
  readonly #text: string;
  readonly #tokens: readonly Token[];

  constructor(text: string) {
    this.#text = text;
    this.#tokens = scanTokens(text).filter((token) => token.kind === 'other');
  }

  /**
   * `[only] [catalog.][schema.]name [*]` of a RangeVar, without its alias; `table name` becomes a whole SELECT.
   * @param location the RangeVar's, in bytes
   * @param parts how many dotted names it has
   */
  reference(location: number, parts: number, own: string, alias: string | undefined): Replacement {
    const at = this.#indexAt(location);
    let first = at;
    let last = this.#endOfName(at, parts);
    let opened = false;
    if (this.#word(first - 1) === '(' && this.#word(first - 2) === 'only') {
      // ONLY (name): the parentheses belong to the reference.
      first -= 2;
      last += 1;
      opened = true;
    } else if (this.#word(first - 1) === 'only') first -= 1;
    if (!opened && this.#word(last + 1) === '*') last += 1;
    let text = alias === undefined ? own : `${own} as ${alias}`;
    if (this.#word(first - 1) === 'table') {
      first -= 1;
      text = `select * from ${text}`;
    }
    return { start: this.#start(first), end: this.#end(last), text };
  }

  /** The names before the dot of a column, in a column reference that so many of them qualify. */
  qualification(location: number, parts: number, own: string): Replacement {
    const at = this.#indexAt(location);
    return { start: this.#start(at), end: this.#end(this.#endOfName(at, parts)), text: own };
  }

  /** EXECUTE of an EXECUTE, EXPLAIN EXECUTE or CREATE TABLE AS EXECUTE: tables and prepared statements may have its name. */
  execution(): Execution | undefined {
    const before = ['', 'explain', 'analyze', 'analyse', 'verbose', ')', 'as'];
    const isOne = (token: Token, index: number): boolean =>
      token.text.toLowerCase() === 'execute' && before.includes(this.#word(index - 1));
    const at = this.#tokens.findIndex(isOne);
    if (at === -1) return undefined;
    const name = this.#endOfName(at + 1, 1);
    const last = this.#word(name + 1) === '(' ? this.#closing(name + 1) : name;
    return {
      start: this.#start(at),
      nameStart: this.#start(at + 1),
      nameEnd: this.#end(name),
      end: this.#end(last),
      afterAs: this.#word(at - 1) === 'as',
    };
  }

  /** The statement without the semicolon at its end, and what `prepare name (types) as` has before it. */
  preparedQuery(): string {
    let first = 0;
    if (this.#word(0) === 'prepare') {
      const name = this.#endOfName(1, 1);
      first = (this.#word(name + 1) === '(' ? this.#closing(name + 1) : name) + 2;
    }
    const last = this.#tokens.length - 1;
    const end = this.#word(last) === ';' ? last - 1 : last;
    return Buffer.from(this.#text).subarray(this.#start(first), this.#end(end)).toString();
  }

  /** The last token of so many dotted parts. */
  #endOfName(at: number, parts: number): number {
    let last = at;
    for (let part = 1; ; part += 1) {
      // U&"d!0061ta" UESCAPE '!'
      if (this.#word(last + 1) === 'uescape') last += 2;
      if (part === parts) return last;
      last += 2;
    }
  }

  /** A constant or a parameter. */
  asSubquery(location: number): Replacement {
    const at = this.#indexAt(location);
    const [start, end] = [this.#start(at), this.#end(at)];
    return { start, end, text: `(select ${Buffer.from(this.#text).subarray(start, end).toString()})` };
  }

  /** What stands between the parentheses around a subquery. */
  subquery(node: Node, own: string): Replacement {
    const from = firstLocation(node);
    const to = lastLocation(node);
    if (from === undefined || to === undefined) throw new Error('a subquery without a location');
    let open = this.#indexAt(from);
    for (;;) {
      open = this.#enclosing(open);
      const close = this.#closing(open);
      if (this.#start(close) > to && this.#opensQuery(open))
        return { start: this.#end(open), end: this.#start(close), text: own };
    }
  }

  /**
   * A condition more for the rows of the SELECT, UPDATE or DELETE that names a relation, or for those that MERGE finds.
   *
   * @param location the relation's, in bytes
   * @returns undefined where it has no place, as beside WHERE CURRENT OF
   */
  condition(location: number, merge: boolean, own: string): Replacement[] | undefined {
    let clause: number | undefined;
    let cases = 0;
    let at = this.#indexAt(location);
    for (; !this.#endsStatement(at); at += 1) {
      const word = this.#word(at);
      if (word === '(') at = this.#closing(at);
      else if (this.#isLabel(at)) continue;
      else if (word === 'case') cases += 1;
      else if (word === 'end') cases -= 1;
      else if (word === (merge ? 'on' : 'where')) clause = at;
      else if (merge ? word === 'when' && cases === 0 : AFTER_WHERE.has(word)) break;
    }
    const end = this.#end(at - 1);
    if (clause === undefined) return merge ? undefined : [{ start: end, end, text: ` where ${own}` }];
    if (this.#word(clause + 1) === 'current' && this.#word(clause + 2) === 'of') return undefined;
    const start = this.#end(clause);
    return [
      { start, end: start, text: ' (' },
      { start: end, end, text: `) and ${own}` },
    ];
  }

  /** A word that stands for a name, whatever else it means: behind a dot or AS. */
  #isLabel(at: number): boolean {
    return ['.', 'as'].includes(this.#word(at - 1));
  }

  /** The parentheses of a join end before the statement in which it stands. */
  #endsStatement(at: number): boolean {
    const word = this.#word(at);
    return word === '' || word === ';' || (word === ')' && this.#opensQuery(this.#enclosing(at)));
  }

  /** Text before and after a subquery, whose own text is left where it is. */
  around(node: Node, [before, after]: readonly [string, string]): Replacement[] {
    const { start, end } = this.subquery(node, '');
    return [
      { start, end: start, text: before },
      { start: end, end, text: after },
    ];
  }

  #indexAt(location: number): number {
    const index = this.#tokens.findIndex((token) => token.end > location);
    if (index === -1) throw new Error(`no token at byte ${String(location)}`);
    return index;
  }

  /** The nearest "(" to the left that is still open at this token. */
  #enclosing(index: number): number {
    let depth = 0;
    for (let at = index - 1; at >= 0; at -= 1) {
      const word = this.#word(at);
      if (word === ')') depth += 1;
      else if (word === '(' && depth === 0) return at;
      else if (word === '(') depth -= 1;
    }
    throw new Error('a subquery without parentheses');
  }

  /** Other parentheses stand around arguments, rows and names. */
  #opensQuery(open: number): boolean {
    const first = open + 1;
    if (this.#word(first) !== '(') return OPENS_QUERY.has(this.#word(first));
    // `((values (1)) as v join …)` begins with one.
    return this.#opensQuery(first) && FOLLOWS_QUERY.has(this.#word(this.#closing(first) + 1));
  }

  #closing(open: number): number {
    let depth = 0;
    for (let at = open; at < this.#tokens.length; at += 1) {
      const word = this.#word(at);
      if (word === '(') depth += 1;
      else if (word === ')' && (depth -= 1) === 0) return at;
    }
    throw new Error('a parenthesis that is never closed');
  }

  #word(index: number): string {
    return this.#tokens[index]?.text.toLowerCase() ?? '';
  }

  #start(index: number): number {
    const token = this.#tokens[index];
    if (token === undefined) throw new Error(`no token ${String(index)}`);
    return token.start;
  }

  #end(index: number): number {
    const token = this.#tokens[index];
    if (token === undefined) throw new Error(`no token ${String(index)}`);
    return token.end;
  }
}

/** A name as PostgreSQL's quote_ident() with quote_all_identifiers writes it. */
export function quoteIdent(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
