import { parseStatements, type ParsedStatement } from '../sql/parse.ts';

type Node = ParsedStatement['node'];

/**
 * For each output column of a view, the column of its only relation that it passes through unchanged.
 * `definition`: as pg_get_viewdef() prints it, one SELECT with every target spelt out.
 */
export function passedThrough(definition: string): readonly (string | undefined)[] {
  const node = parseStatements(definition)?.[0]?.node;
  if (node === undefined || !('SelectStmt' in node)) return [];
  return (node.SelectStmt.targetList ?? []).map((target) =>
    'ResTarget' in target && target.ResTarget.val !== undefined ? columnName(target.ResTarget.val) : undefined,
  );
}

function columnName(node: Node): string | undefined {
  if (!('ColumnRef' in node)) return undefined;
  const last = node.ColumnRef.fields?.at(-1);
  return last !== undefined && 'String' in last ? last.String.sval : undefined;
}
