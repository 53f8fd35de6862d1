import type { FilterPattern, Term } from './pattern.ts';
import { Scanner } from './scanner.ts';

/** `ERROR -ARGUMENTS`, `?ERROR ?WARN`, `"INTERNAL SERVER ERROR"`, `%AUTHORIZED%`. */
export function parseTerms(text: string): FilterPattern {
  const scanner = new Scanner(text);
  const required: Term[] = [];
  const optional: Term[] = [];
  const excluded: Term[] = [];
  do {
    const list = scanner.take('?') ? optional : scanner.take('-') ? excluded : required;
    scanner.skipSpace();
    list.push(term(scanner));
  } while (scanner.match(/\s+/y) !== undefined);
  if (!scanner.atEnd) scanner.fail('a space');
  return { kind: 'terms', required, optional, excluded };
}

function term(scanner: Scanner): Term {
  if (scanner.take('%')) return { kind: 'regex', regex: scanner.regex() };
  if (scanner.take('"')) {
    // `" "` is the guide's way to say everything.
    return { kind: 'text', text: scanner.quoted().trim() };
  }
  const text = scanner.match(/[\p{L}\p{N}_]+/uy);
  return text === undefined
    ? scanner.fail('a term (other characters need double quotation marks)')
    : { kind: 'text', text };
}
