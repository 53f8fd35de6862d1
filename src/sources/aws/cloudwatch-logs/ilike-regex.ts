import { parseLike } from '../../like.ts';

/**
 * As long as one regular expression gets: a pattern has it twice, once for each form of a record, and other conditions beside
 * it.
 */
const MAX_LENGTH = 400;
/** Fewer characters of each alternative tell too little. */
const LEAST = 3;

/** A text that every match has, and whether it stands at the value's begin or end. */
interface Piece {
  readonly text: string;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

/**
 * A regular expression for CloudWatch Logs that finds whatever one of the patterns of ILIKE does; undefined where there is none.
 *
 * Only characters are written that the guide allows in regular expressions and of which PostgreSQL has no other form in any locale:
 * `i` and `k` have one (`İ` and the Kelvin sign become them in lower case), and end a piece. Of each pattern the longest piece is asked
 * for; where all of them are too long, what fits of each.
 */
export function regexOfPatterns(patterns: readonly string[]): string | undefined {
  const pieces = patterns.map(longestPiece);
  if (pieces.length === 0 || !pieces.every((piece) => piece !== undefined)) return undefined;
  const longest = Math.max(...pieces.map(({ text }) => text.length));
  for (let length = longest; length >= Math.min(LEAST, longest); length -= 1) {
    const regex = [...new Set(pieces.map((piece) => alternative(cut(piece, length))))].join('|');
    if (regex.length <= MAX_LENGTH) return regex;
  }
  return undefined;
}

function longestPiece(pattern: string): Piece | undefined {
  const tokens = parseLike(pattern) ?? [];
  const pieces = tokens.flatMap((token, index) => {
    if (token.kind !== 'text') return [];
    return [...token.text.matchAll(/[A-HJLM-Za-hjlm-z0-9_#=@/;,:.-]+/g)].map((match) => ({
      text: match[0],
      isFirst: index === 0 && match.index === 0,
      isLast: index === tokens.length - 1 && match.index + match[0].length === token.text.length,
    }));
  });
  return pieces.reduce<Piece | undefined>(
    (best, piece) => (best === undefined || piece.text.length > best.text.length ? piece : best),
    undefined,
  );
}

function cut(piece: Piece, length: number): Piece {
  const { text, isFirst, isLast } = piece;
  if (text.length <= length) return piece;
  return isLast && !isFirst
    ? { text: text.slice(-length), isFirst: false, isLast }
    : { text: text.slice(0, length), isFirst, isLast: false };
}

function alternative({ text, isFirst, isLast }: Piece): string {
  const characters = text.replace(/[A-Za-z]|\./g, (character) =>
    character === '.' ? '\\.' : `[${character.toUpperCase()}${character.toLowerCase()}]`,
  );
  return `${isFirst ? '^' : ''}${characters}${isLast ? '$' : ''}`;
}
