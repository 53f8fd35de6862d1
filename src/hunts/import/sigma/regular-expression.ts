import { UnreadableRule } from '../unreadable-rule.ts';

export interface RegularExpressionFlags {
  /** `i` */
  readonly ignoreCase: boolean;
  /** `m`: ^ and $ also at the lines' ends. */
  readonly multiline: boolean;
  /** `s`: a dot is a line feed, too. */
  readonly dotAll: boolean;
}

/**
 * A regular expression of PCRE as one of PostgreSQL (POSIX "advanced regular expressions", without embedded options), which
 * finds the same texts: https://www.postgresql.org/docs/current/functions-matching.html#POSIX-SYNTAX-DETAILS against
 * https://www.pcre.org/current/doc/html/pcre2pattern.html.
 *
 * @throws UnreadableRule for what one of them lacks, back references among it: they alone make PostgreSQL slow.
 */
export function postgresRegularExpression(
  source: string,
  flags: RegularExpressionFlags,
): {
  readonly pattern: string;
  readonly ignoreCase: boolean;
} {
  const options = /^\(\?([ims]+)\)/.exec(source);
  const own = options?.[1] ?? '';
  const reader = new Reader(source.slice(options?.[0].length ?? 0), {
    ignoreCase: flags.ignoreCase || own.includes('i'),
    multiline: flags.multiline || own.includes('m'),
    dotAll: flags.dotAll || own.includes('s'),
  });
  return { pattern: reader.read(), ignoreCase: flags.ignoreCase || own.includes('i') };
}

/** Groups within groups. */
const MAX_DEPTH = 50;
/** PostgreSQL's DUPMAX. */
const MAX_REPEAT = 255;

const END_OF_TEXT = '\\Z';
const CLASS_ESCAPES = 'dDwWsS';
const CONTROL: Readonly<Record<string, string>> = {
  n: '\\n',
  r: '\\r',
  t: '\\t',
  f: '\\f',
  v: '\\v',
  a: '\\a',
  e: '\\e',
};

class Reader {
  readonly #source: string;
  readonly #flags: RegularExpressionFlags;
  #at = 0;
  #depth = 0;

  constructor(source: string, flags: RegularExpressionFlags) {
    this.#source = source;
    this.#flags = flags;
  }

  read(): string {
    const pattern = this.#alternatives();
    if (this.#at < this.#source.length) this.#refuse('a ")" that nothing opens');
    return pattern;
  }

  #alternatives(): string {
    let result = this.#sequence();
    while (this.#take('|')) result += `|${this.#sequence()}`;
    return result;
  }

  #sequence(): string {
    let result = '';
    while (this.#at < this.#source.length && !'|)'.includes(this.#peek())) result += this.#repeated();
    // An empty alternative is written as a group: PostgreSQL takes `a|` for a mistake within a group.
    return result === '' ? '(?:)' : result;
  }

  #repeated(): string {
    const start = this.#at;
    const { text, repeatable } = this.#atom();
    const quantifier = this.#quantifier();
    if (quantifier === '') return text;
    if (!repeatable) this.#refuse(`"${this.#source.slice(start, this.#at)}": what has no length is not repeated`);
    if (this.#quantifier() !== '') this.#refuse('two quantifiers in a row');
    return text + quantifier;
  }

  #quantifier(): string {
    const match = /^(?:[*+?]|\{(\d+)(?:,(\d*))?\})/.exec(this.#source.slice(this.#at));
    if (match === null) return '';
    const [text, low = '0', high = ''] = match;
    if (Number(low) > MAX_REPEAT || Number(high) > MAX_REPEAT) this.#refuse(`"${text}": at most ${MAX_REPEAT} times`);
    if (high !== '' && Number(high) < Number(low)) this.#refuse(`"${text}": the second number is the smaller one`);
    this.#at += text.length;
    if (this.#take('+')) this.#refuse('possessive quantifiers');
    // Whether a text matches at all is the same for the lazy one.
    this.#take('?');
    return text;
  }

  #atom(): { readonly text: string; readonly repeatable: boolean } {
    const character = this.#next();
    switch (character) {
      case '(':
        return this.#group();
      case '[':
        return { text: this.#brackets(), repeatable: true };
      case '.':
        return { text: this.#flags.dotAll ? '.' : '[^\\n]', repeatable: true };
      case '^':
        return { text: this.#flags.multiline ? '(?<![^\\n])' : '^', repeatable: false };
      case '$':
        return { text: this.#flags.multiline ? '(?![^\\n])' : `(?=\\n?${END_OF_TEXT})`, repeatable: false };
      case '\\':
        return this.#escape();
      case '*':
      case '+':
      case '?':
        return this.#refuse(`a "${character}" that repeats nothing`);
      default:
        return { text: literal(character), repeatable: true };
    }
  }

  #group(): { readonly text: string; readonly repeatable: boolean } {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) this.#refuse(`more than ${MAX_DEPTH} groups within each other`);
    let open = '(?:';
    let repeatable = true;
    if (this.#take('?')) {
      const kind = /^(?::|=|!|<=|<!|P?<[A-Za-z_]\w*>|'[A-Za-z_]\w*')/.exec(this.#source.slice(this.#at))?.[0];
      if (kind === undefined) return this.#refuse(`"(?${this.#peek()}"`);
      this.#at += kind.length;
      if (['=', '!', '<=', '<!'].includes(kind)) {
        open = `(?${kind}`;
        repeatable = false;
      }
    } else if (this.#peek() === '*') {
      return this.#refuse('"(*": verbs');
    }
    const text = this.#alternatives();
    if (!this.#take(')')) this.#refuse('a "(" that nothing closes');
    this.#depth -= 1;
    return { text: `${open}${text})`, repeatable };
  }

  #escape(): { readonly text: string; readonly repeatable: boolean } {
    const character = this.#next();
    if (CLASS_ESCAPES.includes(character)) return { text: `\\${character}`, repeatable: true };
    switch (character) {
      case 'b':
        return { text: '\\y', repeatable: false };
      case 'B':
        return { text: '\\Y', repeatable: false };
      case 'A':
        return { text: '^', repeatable: false };
      case 'z':
        return { text: END_OF_TEXT, repeatable: false };
      case 'Z':
        return { text: `(?=\\n?${END_OF_TEXT})`, repeatable: false };
      default:
        return { text: this.#escapedCharacter(character), repeatable: true };
    }
  }

  /** One that stands for a character, within brackets and without. */
  #escapedCharacter(character: string): string {
    const control = CONTROL[character];
    if (control !== undefined) return control;
    if (character === 'x' || character === 'u') {
      const digits = (character === 'x' ? /^(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/ : /^([0-9A-Fa-f]{4})/).exec(
        this.#source.slice(this.#at),
      );
      const code = parseInt(digits?.[1] ?? digits?.[2] ?? '0', 16);
      if (digits === null || code === 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
        return this.#refuse(`"\\${character}": no character of a text`);
      }
      this.#at += digits[0].length;
      return literal(String.fromCodePoint(code));
    }
    if (/[A-Za-z0-9]/.test(character)) return this.#refuse(`"\\${character}"`);
    return literal(character);
  }

  #brackets(): string {
    let result = this.#take('^') ? '[^' : '[';
    let first = true;
    for (;;) {
      if (this.#at >= this.#source.length) return this.#refuse('a "[" that nothing closes');
      if (!first && this.#take(']')) return `${result}]`;
      first = false;
      const name = /^\[:(alpha|digit|alnum|upper|lower|space|blank|punct|print|graph|cntrl|xdigit):\]/.exec(
        this.#source.slice(this.#at),
      )?.[0];
      if (name !== undefined) {
        this.#at += name.length;
        result += name;
        continue;
      }
      const low = this.#rangeFromZero() ?? this.#bracketMember();
      result += low;
      if (isClass(low) || this.#peek() !== '-' || this.#source.charAt(this.#at + 1) === ']') continue;
      this.#at += 1;
      const high = this.#bracketMember();
      result += isClass(high) ? `\\-${high}` : `-${high}`;
    }
  }

  /** `\x00-`: no text of PostgreSQL has that character, so that the range may begin with the next one. */
  #rangeFromZero(): string | undefined {
    const zero = /^\\(?:x00|x\{0{1,6}\}|u0000)(?=-(?!\]|\\(?:x00|x\{0+\}|u0000|[dDwWsS])))/.exec(
      this.#source.slice(this.#at),
    );
    if (zero === null) return undefined;
    this.#at += zero[0].length;
    return literal(String.fromCodePoint(1));
  }

  #bracketMember(): string {
    const character = this.#next();
    if (character === '[' && /[.:=]/.test(this.#peek())) return this.#refuse(`"[${this.#peek()}" within brackets`);
    if (character !== '\\') return literal(character);
    const escaped = this.#next();
    if (CLASS_ESCAPES.includes(escaped)) return `\\${escaped}`;
    return escaped === 'b' ? '\\b' : this.#escapedCharacter(escaped);
  }

  #peek(): string {
    return this.#source.charAt(this.#at);
  }

  /** The next character, whole where UTF-16 has it in two. */
  #next(): string {
    const code = this.#source.codePointAt(this.#at);
    if (code === undefined) return this.#refuse('a backslash at the end');
    const character = String.fromCodePoint(code);
    this.#at += character.length;
    return character;
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at += 1;
    return true;
  }

  #refuse(what: string): never {
    throw new UnreadableRule(undefined, `the regular expression has ${what}`);
  }
}

function isClass(member: string): boolean {
  return /^\\[dDwWsS]$/.test(member);
}

/** A character for itself; escaping a letter would give it another meaning. */
function literal(character: string): string {
  const code = character.charCodeAt(0);
  // Others would stand in the hunt as they are, and nobody would see them.
  if (/^\p{Cc}$/u.test(character) && !/\s/.test(character)) return `\\u${code.toString(16).padStart(4, '0')}`;
  return /^[\p{L}\p{N}\s_]$/u.test(character) || code > 127 ? character : `\\${character}`;
}
