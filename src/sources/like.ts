/** PostgreSQL's LIKE patterns, read as values: https://www.postgresql.org/docs/current/functions-matching.html */

export type LikeToken =
  { readonly kind: 'text'; readonly text: string } | { readonly kind: '%' } | { readonly kind: '_' };

/** Undefined where PostgreSQL would refuse it: a backslash at the end. */
export function parseLike(pattern: string): readonly LikeToken[] | undefined {
  const tokens: LikeToken[] = [];
  let text = '';
  const flush = () => {
    if (text !== '') tokens.push({ kind: 'text', text });
    text = '';
  };
  for (let index = 0; index < pattern.length; index += 1) {
    const character = pattern.charAt(index);
    if (character === '%' || character === '_') {
      flush();
      tokens.push({ kind: character });
    } else if (character === '\\') {
      index += 1;
      if (index === pattern.length) return undefined;
      text += pattern.charAt(index);
    } else {
      text += character;
    }
  }
  flush();
  return tokens;
}

/** Undefined for a pattern that PostgreSQL would refuse. */
export function likeTest(pattern: string): ((text: string) => boolean) | undefined {
  const tokens = parseLike(pattern);
  if (tokens === undefined) return undefined;
  const source = tokens
    .map((token) =>
      token.kind === 'text' ? token.text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&') : token.kind === '%' ? '.*' : '.',
    )
    .join('');
  const regex = new RegExp(`^${source}$`, 'su');
  return (text) => regex.test(text);
}
