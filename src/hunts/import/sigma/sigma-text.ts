/**
 * Texts of Sigma with their wildcards, after "String Wildcard" and "Escape Character" of the Sigma Rules Specification:
 * `*` any text, `?` one character; a backslash before one of them, or before a backslash, takes that character as it is,
 * and is itself before anything else.
 */
export type TextToken = { readonly kind: 'text'; readonly text: string } | { readonly kind: '*' | '?' };
export type SigmaText = readonly TextToken[];

const ANY: TextToken = { kind: '*' };

export function parseSigmaText(source: string): SigmaText {
  return joined(
    [...source.matchAll(/\\([\\*?])|([*?])|([^\\*?]+|\\)/g)].map(([, escaped, wildcard, text]) =>
      wildcard === '*' || wildcard === '?' ? { kind: wildcard } : { kind: 'text', text: escaped ?? text ?? '' },
    ),
  );
}

export function plainText(text: string): SigmaText {
  return text === '' ? [] : [{ kind: 'text', text }];
}

/** The text itself; undefined where it has wildcards. */
export function textWithoutWildcards(text: SigmaText): string | undefined {
  return text.some(({ kind }) => kind !== 'text') ? undefined : joined(text).map(textOf).join('');
}

export function withAnyBefore(text: SigmaText): SigmaText {
  return text[0]?.kind === '*' ? text : [ANY, ...text];
}

export function withAnyAfter(text: SigmaText): SigmaText {
  return text.at(-1)?.kind === '*' ? text : [...text, ANY];
}

/** Every text in which each part of the pattern's own text is one of its alternatives. */
export function replaced(text: SigmaText, pattern: RegExp, alternatives: readonly string[]): readonly SigmaText[] {
  const pieces = text.flatMap((token): (readonly TextToken[])[] => {
    if (token.kind !== 'text') return [[token]];
    return token.text
      .split(pattern)
      .flatMap((part, index) => [
        ...(index === 0 ? [] : [alternatives.map((alternative) => ({ kind: 'text', text: alternative }) as const)]),
        ...(part === '' ? [] : [[{ kind: 'text', text: part } as const]]),
      ]);
  });
  return pieces
    .reduce<readonly SigmaText[]>(
      (texts, piece) => texts.flatMap((before) => piece.map((token) => [...before, token])),
      [[]],
    )
    .map(joined);
}

/** As a pattern of LIKE. */
export function likePattern(text: SigmaText): string {
  return text
    .map((token) => {
      switch (token.kind) {
        case 'text':
          return token.text.replace(/[\\%_]/g, '\\$&');
        case '*':
          return '%';
        case '?':
          return '_';
      }
    })
    .join('');
}

/** Whether upper and lower case could make a difference. */
export function hasCase(text: SigmaText): boolean {
  return text.some((token) => token.kind === 'text' && token.text.toLowerCase() !== token.text.toUpperCase());
}

function joined(text: SigmaText): SigmaText {
  const result: TextToken[] = [];
  for (const token of text) {
    const last = result.at(-1);
    if (token.kind === 'text' && last?.kind === 'text') {
      result[result.length - 1] = { kind: 'text', text: last.text + token.text };
    } else if (token.kind !== 'text' || token.text !== '') {
      result.push(token);
    }
  }
  return result;
}

function textOf(token: TextToken): string {
  return token.kind === 'text' ? token.text : '';
}
