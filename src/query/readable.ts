import type { Reference } from '../planner/statement.ts';
import type { StatementFacts } from './facts.ts';

/** @param columns that the current role may read of a relation */
export function mayReadSome(columns: ReadonlySet<string> | 'all' | undefined): boolean {
  return columns === 'all' || columns?.size !== 0;
}

/** Whether the current role may read all that the text names of a reference. */
export function mayRead(reference: Reference, facts: StatementFacts): boolean {
  // Keyed by the name as written, which the statement's own tree no longer has.
  const relations = [...facts.planning.relations];
  const names = relations.filter(([, relation]) => relation.view === reference.view).map(([name]) => name);
  return names.every((name) => {
    const readable = facts.readable.get(name) ?? new Set();
    return readable === 'all' || (readable.size > 0 && [...reference.used].every((column) => readable.has(column)));
  });
}

/** With other string literals, or in another encoding, PostgreSQL would read another statement than was parsed here. */
export function isReadAsPlanned(facts: StatementFacts, text: string): boolean {
  return facts.standardConformingStrings && (facts.clientEncoding === 'UTF8' || isAscii(text));
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}
