/**
 * Objects and lists within one another. PostgreSQL 18 takes 16,300 levels of jsonb where max_stack_depth is 2 MB, its default,
 * and follows `$.**` through 11,800 of them; beyond that whole statements fail, and say of no record which one it is. V8 writes
 * 4,100 where nothing else is on its stack.
 */
export const DEEPEST = 2_000;

/** Of JSON that is nested deeper. */
export class NestedTooDeep extends Error {}

/** The same JSON text; throws NestedTooDeep. */
export function shallow(json: string): string {
  if (isTooDeep(json)) throw new NestedTooDeep();
  return json;
}

export function isTooDeep(json: string): boolean {
  // Each level takes two characters, and one bracket that opens it: most texts have too few.
  return json.length > 2 * DEEPEST && mayBeTooDeep(json) && depthOf(json) > DEEPEST;
}

function mayBeTooDeep(json: string): boolean {
  let opened = 0;
  for (const bracket of ['{', '[']) {
    for (let at = json.indexOf(bracket); at >= 0 && opened <= DEEPEST; at = json.indexOf(bracket, at + 1)) opened += 1;
  }
  return opened > DEEPEST;
}

function depthOf(json: string): number {
  let [depth, deepest] = [0, 0];
  for (let at = 0; at < json.length; at += 1) {
    const character = json[at];
    if (character === '{' || character === '[') {
      depth += 1;
      deepest = Math.max(deepest, depth);
    } else if (character === '}' || character === ']') depth -= 1;
    else if (character === '"') {
      for (at += 1; at < json.length && json[at] !== '"'; at += 1) if (json[at] === '\\') at += 1;
    }
  }
  return deepest;
}
