import { UnreadableRule } from '../unreadable-rule.ts';

/** A rule's condition over its search identifiers. */
export type Condition =
  | { readonly kind: 'selection'; readonly name: string }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Condition[] }
  | { readonly kind: 'not'; readonly of: Condition }
  /** So many of them, or more. */
  | { readonly kind: 'at least'; readonly count: number; readonly of: readonly Condition[] };

/** Brackets and `not` within each other. */
const MAX_DEPTH = 100;

/**
 * Reads "Condition" of the Sigma Rules Specification; `or` binds least, then `and`, `not`, `1 of …`.
 *
 * @throws UnreadableRule
 */
export function parseCondition(text: string, names: readonly string[]): Condition {
  if (text.includes('|')) {
    throw new UnreadableRule(undefined, '"|": aggregations in conditions have given way to correlation rules');
  }
  const reader = new Reader(tokens(text), names);
  return reader.read();
}

function tokens(text: string): readonly string[] {
  const found = text.match(/[()]|[\w*?.-]+|\S/g) ?? [];
  const wrong = found.find((token) => !/^[()]$|^[\w*?.-]+$/.test(token));
  if (wrong !== undefined) throw new UnreadableRule(undefined, `"${wrong}" means nothing in a condition`);
  return found;
}

class Reader {
  readonly #tokens: readonly string[];
  readonly #names: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly string[], names: readonly string[]) {
    this.#tokens = tokens;
    this.#names = names;
  }

  read(): Condition {
    const condition = this.#or();
    const rest = this.#tokens[this.#at];
    return rest === undefined ? condition : this.#refuse(`"${rest}" was not expected`);
  }

  #or(): Condition {
    return this.#linked('or', () => this.#linked('and', () => this.#not()));
  }

  #linked(kind: 'and' | 'or', operand: () => Condition): Condition {
    const first = operand();
    const of = [first];
    while (this.#word() === kind) {
      this.#at += 1;
      of.push(operand());
    }
    return of.length === 1 ? first : { kind, of };
  }

  #not(): Condition {
    if (this.#word() !== 'not') return this.#operand();
    this.#at += 1;
    return this.#deeper(() => ({ kind: 'not', of: this.#not() }));
  }

  #operand(): Condition {
    const token = this.#tokens[this.#at];
    if (token === undefined) return this.#refuse('it ends too early');
    this.#at += 1;
    if (token === '(') {
      const inner = this.#deeper(() => this.#or());
      if (this.#tokens[this.#at] !== ')') return this.#refuse('a bracket is not closed');
      this.#at += 1;
      return inner;
    }
    if (this.#word() === 'of' && /^(\d+|any|all)$/i.test(token)) {
      const pattern = this.#tokens[this.#at + 1];
      this.#at += 2;
      return pattern === undefined ? this.#refuse(`"${token} of" what?`) : this.#some(token.toLowerCase(), pattern);
    }
    if (this.#names.includes(token)) return { kind: 'selection', name: token };
    return this.#refuse(`there is no search identifier ${token}`);
  }

  #some(quantity: string, pattern: string): Condition {
    const isAll = pattern.toLowerCase() === 'them';
    const test = new RegExp(`^${isAll ? '.*' : pattern.split('*').map(literally).join('.*')}$`, 's');
    const found = this.#names.filter((name) => test.test(name) && (pattern.startsWith('_') || !name.startsWith('_')));
    const of = found.map((name): Condition => ({ kind: 'selection', name }));
    const [only] = of;
    if (only === undefined) return this.#refuse(`"${pattern}" stands for no search identifier`);
    const count = quantity === 'all' ? of.length : quantity === 'any' ? 1 : Number(quantity);
    if (count < 1 || count > of.length) return this.#refuse(`"${quantity} of ${pattern}", but there are ${of.length}`);
    if (of.length === 1) return only;
    if (count === 1) return { kind: 'or', of };
    return count === of.length ? { kind: 'and', of } : { kind: 'at least', count, of };
  }

  #deeper(read: () => Condition): Condition {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) return this.#refuse(`more than ${MAX_DEPTH} brackets within each other`);
    const inner = read();
    this.#depth -= 1;
    return inner;
  }

  /** A word of the language in lower case: `AND` is written, too. A search identifier of that name comes first. */
  #word(): string | undefined {
    const token = this.#tokens[this.#at];
    return token !== undefined && this.#names.includes(token) ? undefined : token?.toLowerCase();
  }

  #refuse(reason: string): never {
    throw new UnreadableRule(undefined, reason);
  }
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
