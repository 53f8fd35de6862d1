import type { ColumnDef, Node, TypeName } from '@pgsql/types';
import { parseStatements } from '../../src/sql/parse.ts';
import { files, read } from '../house/repository.ts';

export interface DeclaredColumn {
  readonly name: string;
  readonly type: string;
  readonly options: Readonly<Record<string, string>>;
  readonly comment: string;
}

export type DeclaredTables = ReadonlyMap<string, readonly DeclaredColumn[]>;

/** What `schema/*.sql` declares, read without a server. */
export function declaredTables(): DeclaredTables {
  const nodes = files()
    .filter((path) => /^schema\/.*\.sql$/.test(path))
    .flatMap((path) => parseStatements(read(path)) ?? [])
    .map(({ node }) => node);
  const comments = new Map(nodes.map(commentOf).filter((entry) => entry !== undefined));
  return new Map(
    nodes.flatMap((node) => {
      if (!('CreateForeignTableStmt' in node)) return [];
      const { base } = node.CreateForeignTableStmt;
      const table = base?.relation?.relname ?? '';
      const columns = (base?.tableElts ?? []).flatMap((element) =>
        'ColumnDef' in element ? [columnOf(table, element.ColumnDef, comments)] : [],
      );
      return [[table, columns] as const];
    }),
  );
}

function columnOf(table: string, column: ColumnDef, comments: ReadonlyMap<string, string>): DeclaredColumn {
  const name = column.colname ?? '';
  const options = (column.fdwoptions ?? []).flatMap((option) =>
    'DefElem' in option ? [[option.DefElem.defname ?? '', stringOf(option.DefElem.arg) ?? ''] as const] : [],
  );
  return {
    name,
    type: typeText(column.typeName),
    options: Object.fromEntries(options),
    comment: comments.get(`source.${table}.${name}`) ?? '',
  };
}

function commentOf(node: Node): readonly [name: string, comment: string] | undefined {
  if (!('CommentStmt' in node)) return undefined;
  const { object, comment = '' } = node.CommentStmt;
  if (object === undefined || !('List' in object)) return undefined;
  return [(object.List.items ?? []).map(stringOf).join('.'), comment];
}

function stringOf(node: Node | undefined): string | undefined {
  return node !== undefined && 'String' in node ? node.String.sval : undefined;
}

/** The grammar's own names of types, as people write them. */
const written: Readonly<Record<string, string>> = {
  bool: 'boolean',
  int4: 'integer',
  int8: 'bigint',
  float8: 'double precision',
};

function typeText(type: TypeName | undefined): string {
  const name = stringOf(type?.names?.at(-1)) ?? '';
  return (written[name] ?? name) + (type?.arrayBounds === undefined ? '' : '[]');
}
