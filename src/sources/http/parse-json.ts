import { isTooLong, withStandIns } from '../exact-number.ts';

/** Why a text is not taken: the end of a sentence that begins with "the answer". */
export class JsonRefused extends Error {
  /** What to do, where that is not to look at the definition. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** As deep as nobody's answers are; whoever walks them afterwards calls itself that often. */
const DEEPEST = 64;

/** Parses JSON. In the place of a number that a double would change, or print otherwise, is what stands in for it. */
export function parseJson(text: string): unknown {
  const exact = withStandIns(text, {
    nested: (depth) => {
      if (depth > DEEPEST) throw new JsonRefused(`is nested deeper than ${DEEPEST} levels`);
    },
    number: (literal) => {
      if (isTooLong(literal) || Math.abs(Number(literal)) === Number.POSITIVE_INFINITY)
        throw new JsonRefused('holds a number that is too large');
    },
  });
  try {
    return JSON.parse(exact) as unknown;
  } catch {
    throw new JsonRefused('is no JSON');
  }
}
