import type { Node } from '@pgsql/types';

/** Names of the AST's node kinds: `SelectStmt`, `ColumnRef`, … */
export type NodeKind = Node extends infer N ? (N extends unknown ? keyof N : never) : never;

/** The node of a kind without its wrapper: `bare(node, 'ColumnRef')`. */
export function bare<K extends NodeKind>(
  node: Node | undefined,
  kind: K,
): (Node extends infer N ? (N extends Record<K, infer T> ? T : never) : never) | undefined {
  if (node === undefined || !(kind in node)) return undefined;
  return (node as unknown as Record<K, never>)[kind];
}

/**
 * Calls `visit` for each wrapped node below (and including) a value of the AST, outermost first; returning `false`
 * leaves out what is below it. Unwrapped members (`JoinExpr.alias`, `RangeSubselect.subquery`) are walked through.
 */
export function walk(value: unknown, visit: (node: Node, kind: NodeKind) => boolean | undefined): void {
  if (value === null || typeof value !== 'object') return;
  if (Array.isArray(value)) {
    for (const element of value) walk(element, visit);
    return;
  }
  // Trees are plain objects. Half of planning is spent here, and Object.entries() would take most of that.
  for (const name in value) {
    const member = (value as Readonly<Record<string, unknown>>)[name];
    if (member === null || typeof member !== 'object') continue;
    // Node kinds are the only member names that begin with a capital letter.
    if (isNodeKind(name)) {
      if (visit(value as Node, name as NodeKind) === false) continue;
    }
    walk(member, visit);
  }
}

function isNodeKind(name: string): boolean {
  const first = name.charCodeAt(0);
  return first >= 65 && first <= 90;
}

/** The smallest location (byte offset) below a value of the AST; undefined where nothing has one. */
export function firstLocation(value: unknown): number | undefined {
  return locations(value).reduce<number | undefined>((a, b) => (a === undefined || b < a ? b : a), undefined);
}

export function lastLocation(value: unknown): number | undefined {
  return locations(value).reduce<number | undefined>((a, b) => (a === undefined || b > a ? b : a), undefined);
}

function locations(value: unknown, found: number[] = []): number[] {
  if (value === null || typeof value !== 'object') return found;
  for (const [name, member] of Object.entries(value)) {
    // -1 stands for "unknown", and 0 is left out of the tree.
    if (name === 'location' && typeof member === 'number' && member >= 0) found.push(member);
    else if (typeof member === 'object') locations(member, found);
  }
  return found;
}

/** The same tree without its locations, so that it can stand in the tree of another text. */
export function withoutLocations<T>(value: T): T {
  return JSON.parse(JSON.stringify(value, (name, member: unknown) => (name === 'location' ? undefined : member))) as T;
}

/** Part of the user's own text: definitions of views and functions stand in the tree without locations. */
export function isInText(node: Node | undefined): boolean {
  return node !== undefined && firstLocation(node) !== undefined;
}
