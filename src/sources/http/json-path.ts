export type JsonPath = readonly (string | number)[];

const STEP = /\.([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]{1,6})\]|\[("(?:[^"\\]|\\.)+")\]/y;

/** `$`, `$.a.b[0]`, `$["a b"]`: members and elements by name alone, of RFC 9535. Undefined: it is something else. */
export function parseJsonPath(text: string): JsonPath | undefined {
  if (!text.startsWith('$')) return undefined;
  const steps: (string | number)[] = [];
  for (STEP.lastIndex = 1; STEP.lastIndex < text.length;) {
    const [, member, element, quoted] = STEP.exec(text) ?? [];
    if (member !== undefined) steps.push(member);
    else if (element !== undefined) steps.push(Number(element));
    else {
      const name = quoted === undefined ? undefined : stringOf(quoted);
      if (name === undefined) return undefined;
      steps.push(name);
    }
  }
  return steps;
}

/** Undefined: there is nothing. What an object inherits is not in it. */
export function readJsonPath(value: unknown, path: JsonPath): unknown {
  let at = value;
  for (const step of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    if (Array.isArray(at) !== (typeof step === 'number') || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<string | number, unknown>)[step];
  }
  return at;
}

function stringOf(quoted: string): string | undefined {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return undefined;
  }
}
