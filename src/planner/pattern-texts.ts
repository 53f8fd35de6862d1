/** What must stand in a record's JSON, as patterns of LIKE and ILIKE over its text as PostgreSQL writes it. */
export interface PatternText {
  readonly operator: 'like' | 'ilike';
  readonly pattern: string;
}

export type Members = Readonly<Record<string, unknown>>;

/**
 * What each value that an alternative of an event pattern accepts has; undefined where that is nothing to look for, as of
 * numbers (300 is 3e2), of addresses, which equal all of their notations, and of what is excluded.
 */
export function acceptedText(alternative: unknown): PatternText | undefined {
  if (typeof alternative === 'string') return isAddress(alternative) ? undefined : somewhere('like', [alternative]);
  if (!isMembers(alternative)) return undefined;
  const [[operator, value] = ['', undefined]] = Object.entries(alternative);
  const folded = isMembers(value) ? value['equals-ignore-case'] : undefined;
  switch (operator) {
    case 'exact':
    case 'prefix':
    case 'suffix':
      return typeof value === 'string' ? somewhere('like', [value]) : inAnyCase(folded);
    case 'wildcard':
      return typeof value === 'string' ? somewhere('like', wildcardParts(value)) : undefined;
    case 'equals-ignore-case':
      return inAnyCase(value);
    default:
      return undefined;
  }
}

/** A member's name. */
export function nameText(name: string): PatternText | undefined {
  return somewhere('like', [name]);
}

/** Of other letters than ASCII's, EventBridge and ILIKE may know other cases. */
function inAnyCase(value: unknown): PatternText | undefined {
  return typeof value === 'string' && isAscii(value) ? somewhere('ilike', [value]) : undefined;
}

/** `a*b\*` has `a` and `b*`. */
function wildcardParts(wildcard: string): readonly string[] {
  const parts: string[] = [];
  let part = '';
  for (const [found, escaped] of wildcard.matchAll(/\\([*\\])|[^]/gu)) {
    if (found === '*') {
      parts.push(part);
      part = '';
    } else part += escaped ?? found;
  }
  return [...parts, part];
}

function somewhere(operator: PatternText['operator'], parts: readonly string[]): PatternText | undefined {
  // Less tells nothing, and digits may be a number's.
  const worth = parts.filter((part) => /[\w./@-]{3}/.test(part) && !/^[\d.eE+-]+$/.test(part));
  // As in JSON, and then as LIKE takes it for itself.
  const texts = worth.map((part) =>
    JSON.stringify(part)
      .slice(1, -1)
      .replace(/[\\%_]/g, '\\$&'),
  );
  return texts.length === 0 ? undefined : { operator, pattern: `%${texts.join('%')}%` };
}

/** Equals all of its notations. */
export function isAddress(text: string): boolean {
  return /^(?:\d+(?:\.\d+){3}|[\da-fA-F:]*:[\da-fA-F:]*)(?:\/\d+)?$/.test(text);
}

export function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text);
}

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
