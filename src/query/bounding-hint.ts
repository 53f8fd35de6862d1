import type { Statement } from '../planner/statement.ts';
import type { Unbounded } from '../planner/steps.ts';
import { scanTokens } from '../sql/parse.ts';
import { quoteIdent, replaceBytes, Slices } from '../sql/substitute.ts';
import { referenceText, unqualifiedColumns } from './reference-text.ts';

/** Values that nobody owns (RFC 5737), by the key's type. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  inet: ['198.51.100.7', '203.0.113.9'],
  cidr: ['198.51.100.0/24', '203.0.113.0/24'],
  integer: ['1', '2'],
  bigint: ['1', '2'],
};
const TEXTS = ['one', 'another'];

/** Characters of a statement that is worth showing once more. */
const LONGEST = 1_000;

/** What to do about a key that nothing bounds: all that follows `as in: ` runs, and is the user's own but for the values. */
export function boundingHint(refused: Unbounded, text: string | undefined, statement: Statement): string {
  const { clause } = refused;
  const named = `ame the values, as in: ${withValues(refused, text, statement)}`;
  return clause === undefined ? `N${named}` : `Add the condition ${clause}, or n${named}`;
}

function withValues({ unbounded, key }: Unbounded, text: string | undefined, statement: Statement): string {
  const { view } = unbounded;
  const column = view.columns.find((candidate) => candidate.column === key)?.name ?? key.name;
  const values = (VALUES[key.type] ?? TEXTS).map((value) => `'${value}'`).join(', ');
  const name = [...(view.schema === 'public' ? [] : [view.schema]), view.name].map(written).join('.');
  const condition = `where ${written(column)} in (${values})`;
  const alone = `select * from ${name} ${condition}`;
  if (text === undefined || text.length > LONGEST || unbounded.below) return alone;
  const end = endOfPlainSelect(unbounded, text, statement);
  if (end !== undefined)
    return replaceBytes(text, [{ start: end, end: Buffer.byteLength(text), text: ` ${condition}` }]);
  const slices = new Slices(text);
  return replaceBytes(text, [
    referenceText(unbounded, `(${alone})`, slices),
    ...unqualifiedColumns([unbounded], statement, slices),
  ]);
}

/** In bytes, of `select … from <the reference>` with nothing behind it: a WHERE may follow. */
function endOfPlainSelect(
  { item, location }: Unbounded['unbounded'],
  text: string,
  { scopes }: Statement,
): number | undefined {
  const { targetList, fromClause, whereClause } = scopes.root.select;
  if (item.level !== scopes.root || fromClause?.length !== 1 || whereClause !== undefined) return undefined;
  if (targetList === undefined || item.rangeVar === undefined || scopes.root.items.length !== 1) return undefined;
  if (item.rangeVar.alias?.colnames !== undefined) return undefined;
  const tokens = scanTokens(text).filter((token) => token.kind === 'other' && token.text !== ';');
  // `table name` takes no WHERE.
  if (tokens.findLast((token) => token.end <= location)?.text.toLowerCase() === 'table') return undefined;
  const last = tokens.at(-1);
  const name = item.name ?? '';
  return last !== undefined && [name, quoteIdent(name)].includes(last.text.toLowerCase()) ? last.end : undefined;
}

/** As people write it: PostgreSQL's own names need no quotes. */
function written(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : quoteIdent(name);
}
