import type { Column } from '../catalog/table.ts';
import type { ScanKey } from '../planner/key-query.ts';
import type { ScanKeys } from '../planner/scan-keys.ts';
import type { Predicate } from '../sources/source.ts';
import type { InjectedResult } from './backend.ts';

/** Far more than any source takes; without an end, the values of a join could be millions. */
export const MAX_SCAN_KEYS = 1_000;

/** Types of texts that `=` compares as texts; char(n) ignores blanks at their end. */
const TEXTS: ReadonlySet<string> = new Set(['text', 'character varying', 'name', 'unknown']);
/** Under these, texts are equal only where their bytes are; under one of a user's they may not. */
const COLLATIONS: ReadonlySet<string> = new Set(['"default"', '"C"', '"POSIX"', '"ucs_basic"']);

/** A predicate that keys give to a scan. Without values: no row of the scan counts. */
export interface Narrowing {
  readonly by: ScanKeys;
  readonly predicate: Predicate;
  /** The rows of the key queries. */
  readonly asked: readonly string[];
}

/**
 * The values that keys have now, as far as the source takes them: others leave the scan as wide as it is.
 *
 * @param run gives `MAX_SCAN_KEYS` rows at most
 */
export async function narrow(
  keys: readonly ScanKeys[],
  run: (query: string) => Promise<InjectedResult>,
  isTaken: (predicate: Predicate) => boolean,
): Promise<readonly Narrowing[]> {
  const found: Narrowing[] = [];
  for (const by of keys) {
    const asked: string[] = [];
    let isWhole = true;
    for (const query of by.queries) {
      const { rows, complete } = await run(query);
      for (const [text] of rows) if (text !== null && text !== undefined) asked.push(text);
      isWhole = isWhole && complete;
    }
    const predicate = isWhole ? keyPredicate(by, asked) : undefined;
    if (predicate === undefined || (predicate.values.length > 0 && !isTaken(predicate))) continue;
    found.push({ by, predicate, asked });
  }
  return found;
}

/**
 * The values of a key query as a source's predicate: no values where no row counts. Undefined where the statement may
 * find more equal than a source would.
 */
function keyPredicate({ column, asInet }: ScanKeys, rows: readonly string[]): Predicate | undefined {
  const keys = rows.map((row) => JSON.parse(row) as ScanKey).filter(([text]) => text !== null);
  const areAddresses = column.type === 'inet' || (keys.length > 0 && keys.every(([, , , type]) => type === 'inet'));
  const compared: Column | undefined = column.type === 'text' && areAddresses ? asInet : column;
  const values = keys.map(areAddresses ? addressOf : textOf);
  if (compared === undefined || values.includes(undefined)) return undefined;
  const known = values.flatMap((value) => value ?? []);
  return { column: compared, operator: '=', values: [...new Set(known)] };
}

/** Null: no address equals it. Undefined: an address with a mask, which a column's value may be too. */
function addressOf([, address, isInet]: ScanKey): string | null | undefined {
  return address === null && isInet ? undefined : address;
}

function textOf([text, , , type, collation]: ScanKey): string | undefined {
  const isPlain = TEXTS.has(type) && collation !== null && COLLATIONS.has(collation);
  return isPlain && text !== null ? text : undefined;
}
