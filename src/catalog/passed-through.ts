import { Names } from '../sql/names.ts';
import { parseStatements } from '../sql/parse.ts';
import { scopesOf } from '../sql/scopes-of.ts';

/**
 * For each output column of a view, the column of its only relation that it passes through unchanged.
 *
 * @param definition as pg_get_viewdef() prints it, one SELECT with every target spelt out
 * @param columns the relation's, in order
 */
export function passedThrough(definition: string, columns: readonly string[]): readonly (string | undefined)[] {
  const node = parseStatements(definition)?.[0]?.node;
  if (node === undefined || !('SelectStmt' in node)) return [];
  const scopes = scopesOf(node);
  const passed = new Names(scopes, () => columns).passedThrough(scopes.root);
  return passed.map((through) => (through?.item.kind === 'relation' ? through.name : undefined));
}
