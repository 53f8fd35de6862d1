import { readFileSync } from 'node:fs';
import { parseStatements } from '../../../sql/parse.ts';
import { bare } from '../../../sql/walk.ts';
import type { CallTable } from '../call-table.ts';

export interface TrailColumn {
  readonly name: string;
  readonly kind: 'text' | 'boolean' | 'object';
}

export type TrailColumns = ReadonlyMap<string, TrailColumn>;

const KINDS: Readonly<Record<string, TrailColumn['kind']>> = { text: 'text', bool: 'boolean', jsonb: 'object' };
const FILES: Readonly<Record<CallTable, string>> = {
  cloudtrail_trail_event: '60-cloudtrail-trail-event.sql',
  cloudtrail_lookup_event: '68-cloudtrail-lookup-event.sql',
  cloudtrail_file_event: '64-cloudtrail-file-event.sql',
};

const READ = new Map<CallTable, TrailColumns>();

/** A table's columns that hold a field of CloudTrail's record, by the field's name, as `schema/` declares them. */
export function trailColumns(table: CallTable): TrailColumns {
  const columns = READ.get(table) ?? readColumns(table);
  READ.set(table, columns);
  return columns;
}

function readColumns(table: CallTable): TrailColumns {
  const file = new URL(`../../../../schema/${FILES[table]}`, import.meta.url);
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
