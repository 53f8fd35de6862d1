import { readFileSync } from 'node:fs';
import { parseStatements } from '../../../sql/parse.ts';
import { bare } from '../../../sql/walk.ts';

export interface TrailColumn {
  readonly name: string;
  readonly kind: 'text' | 'boolean' | 'object';
}

const KINDS: Readonly<Record<string, TrailColumn['kind']>> = { text: 'text', bool: 'boolean', jsonb: 'object' };

/** The columns that hold a field of CloudTrail's record, by the field's name, as `schema/` declares them. */
export const TRAIL_COLUMNS: ReadonlyMap<string, TrailColumn> = readColumns();

function readColumns(): ReadonlyMap<string, TrailColumn> {
  const file = new URL('../../../../schema/60-cloudtrail-trail-event.sql', import.meta.url);
  const columns = new Map<string, TrailColumn>();
  for (const { node } of parseStatements(readFileSync(file, 'utf8')) ?? []) {
    for (const element of bare(node, 'CreateForeignTableStmt')?.base?.tableElts ?? []) {
      const column = bare(element, 'ColumnDef');
      const options = (column?.fdwoptions ?? []).map((option) => bare(option, 'DefElem'));
      const path = bare(options.find((option) => option?.defname === 'path')?.arg, 'String')?.sval;
      const kind = KINDS[bare(column?.typeName?.names?.at(-1), 'String')?.sval ?? ''];
      if (column?.colname === undefined || path === undefined || path.startsWith('@') || kind === undefined) continue;
      columns.set(path, { name: column.colname, kind });
    }
  }
  return columns;
}
