import { isStatementFailure, type StatementFailure } from '../hunts/statement-failure.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import { printable } from './output/printable.ts';
import { say } from './terminal.ts';

/** As psql shows it, with SQLSTATE and the line that the position points into. */
export function printStatementFailure(failure: StatementFailure, text?: string): void {
  say(`${failure.severity}:  ${failure.code}: ${printable(failure.message)}`);
  const position = Number(failure.position);
  if (text !== undefined && position > 0) for (const line of pointTo(text, position)) say(line);
  if (failure.detail) say(`DETAIL:  ${printable(failure.detail)}`);
  if (failure.hint) say(`HINT:  ${printable(failure.hint)}`);
}

/** `position`: 1-based, in characters. */
function pointTo(text: string, position: number): readonly string[] {
  const characters = Array.from(text);
  const before = characters.slice(0, position - 1);
  const start = before.lastIndexOf('\n') + 1;
  const lineNumber = before.filter((character) => character === '\n').length + 1;
  const prefix = `LINE ${lineNumber}: `;
  const line = characters.slice(start).join('').split('\n', 1)[0] ?? '';
  return [prefix + printable(line), ' '.repeat(prefix.length + printable(before.slice(start).join('')).length) + '^'];
}

/** Of everything but statements. */
export function printError(error: unknown): void {
  if (error instanceof TrailhoundError) {
    say(`trailhound: ${printable(error.message)}`);
    if (error.detail !== undefined) say(`  ${printable(error.detail)}`);
    if (error.hint !== undefined) say(`  ${printable(error.hint)}`);
  } else if (isStatementFailure(error)) {
    printStatementFailure(error);
  } else {
    say(`trailhound: ${printable(error instanceof Error ? error.message : String(error))}`);
  }
}
