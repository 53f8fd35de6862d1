/** PostgreSQL's regular expressions, as far as what surely stands in a match goes: https://www.postgresql.org/docs/current/functions-matching.html#POSIX-SYNTAX-DETAILS */

/** Any of the branches. */
export type RegexBranches = readonly RegexBranch[];

/** In each match of a branch all of them stand, in this order; `texts` is one behind the other only within itself. */
export interface RegexBranch {
  readonly texts: readonly string[];
  readonly groups: readonly RegexBranches[];
}

export interface Regex {
  readonly branches: RegexBranches;
  /** It says so itself; the operator may say so, too. */
  readonly anyCase: boolean;
}

/** `(?i)` and its like at the beginning, but for those that make all that follows another language. */
const OPTIONS = /^\(\?([cimnpstw]+)\)/;
const BOUND = /^\{(\d{1,3})(?:,\d{0,3})?\}/;
/** What a backslash and a letter or digit stand for is not looked at; how long it is, at its longest. */
const ESCAPE = /^\\(?:[abBefnrtvdswDSWAmMyYZ]|c[^]|u[\da-fA-F]{4}|U[\da-fA-F]{8}|x[\da-fA-F]+|\d+)/;

/**
 * Undefined where it is none, and where what stands in its matches takes a closer look: as a basic or expanded one, or with a comment,
 * behind which a quantifier may belong to what is before it.
 */
export function parseRegex(pattern: string): Regex | undefined {
  if (pattern.startsWith('***=')) return { branches: [{ texts: [pattern.slice(4)], groups: [] }], anyCase: false };
  const rest = pattern.startsWith('***:') ? pattern.slice(4) : pattern;
  const [whole = '', options = ''] = OPTIONS.exec(rest) ?? [];
  const parser = new Parser(rest.slice(whole.length));
  const branches = parser.branches();
  return branches && parser.atEnd ? { branches, anyCase: options.includes('i') } : undefined;
}

type Atom =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'group'; readonly of: RegexBranches }
  | { readonly kind: 'other' }
  /** No quantifier may follow it. */
  | { readonly kind: 'place' };

class Parser {
  readonly #pattern: string;
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  get atEnd(): boolean {
    return this.#at === this.#pattern.length;
  }

  /** Up to what closes a group, or to the end. */
  branches(): RegexBranches | undefined {
    const branches: RegexBranch[] = [];
    for (;;) {
      const branch = this.#branch();
      if (branch === undefined) return undefined;
      branches.push(branch);
      if (!this.#take('|')) return branches;
    }
  }

  #branch(): RegexBranch | undefined {
    const texts: string[] = [];
    const groups: RegexBranches[] = [];
    let text = '';
    const end = () => {
      if (text !== '') texts.push(text);
      text = '';
    };
    while (!this.atEnd && !/^[|)]/.test(this.#rest)) {
      const atom = this.#atom();
      const least = atom && this.#least(atom);
      if (atom === undefined || least === undefined) return undefined;
      if (atom.kind === 'text') {
        if (least.times > 0) text += atom.text;
        if (least.isOnce) continue;
      } else if (atom.kind === 'group' && least.times > 0) groups.push(atom.of);
      end();
    }
    end();
    return { texts, groups };
  }

  /** Undefined where it is none, or none that is known. */
  #atom(): Atom | undefined {
    const character = String.fromCodePoint(this.#pattern.codePointAt(this.#at) ?? 0);
    switch (character) {
      case '(':
        return this.#group();
      case '[':
        return this.#bracket();
      case '\\':
        return this.#escape();
      case '^':
      case '$':
        this.#at += 1;
        return { kind: 'place' };
      case '.':
        this.#at += 1;
        return { kind: 'other' };
      case '*':
      case '+':
      case '?':
        return undefined;
      case '{':
        if (/^\{\d/.test(this.#rest)) return undefined;
        break;
      default:
    }
    this.#at += character.length;
    return { kind: 'text', text: character };
  }

  /** How often it stands there at least, and whether that is just once. */
  #least(atom: Atom): { readonly times: number; readonly isOnce: boolean } | undefined {
    const [bound, times] = BOUND.exec(this.#rest) ?? [];
    const next = this.#pattern[this.#at];
    const isQuantified = bound !== undefined || next === '*' || next === '+' || next === '?';
    if (!isQuantified) return /^\{\d/.test(this.#rest) ? undefined : { times: 1, isOnce: true };
    this.#at += bound?.length ?? 1;
    this.#take('?');
    if (atom.kind === 'place' || /^(?:[*+?]|\{\d)/.test(this.#rest)) return undefined;
    return { times: bound === undefined ? Number(next === '+') : Number(times), isOnce: false };
  }

  #group(): Atom | undefined {
    const [opening = '', kind] = /^\((?:\?(:|=|!|<=|<!))?/.exec(this.#rest) ?? [];
    this.#at += opening.length;
    const of = this.branches();
    if (of === undefined || !this.#take(')')) return undefined;
    return kind === undefined || kind === ':' ? { kind: 'group', of } : { kind: 'place' };
  }

  #bracket(): Atom | undefined {
    const [whole] = /^\[\^?\]?(?:[^[\]\\]|\[(?![.:=])|\[([.:=])[^]*?\1\]|\\[^c])*\]/.exec(this.#rest) ?? [];
    if (whole === undefined) return undefined;
    this.#at += whole.length;
    return { kind: /^\[\[:[<>]:\]\]$/.test(whole) ? 'place' : 'other' };
  }

  #escape(): Atom | undefined {
    const next = this.#pattern.codePointAt(this.#at + 1);
    if (next === undefined) return undefined;
    const character = String.fromCodePoint(next);
    if (!/[\p{L}\p{N}_]/u.test(character)) {
      this.#at += 1 + character.length;
      return { kind: 'text', text: character };
    }
    const [escape] = ESCAPE.exec(this.#rest) ?? [];
    if (escape === undefined) return undefined;
    this.#at += escape.length;
    return { kind: 'other' };
  }

  get #rest(): string {
    return this.#pattern.slice(this.#at);
  }

  #take(character: string): boolean {
    if (this.#pattern[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }
}
