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
  const others = new Map(nodes.flatMap(commentedAs));
  return new Map(
    nodes.flatMap((node) => {
      if (!('CreateForeignTableStmt' in node)) return [];
      const { base } = node.CreateForeignTableStmt;
      const table = `source.${base?.relation?.relname ?? ''}`;
      const commentFor = (column: string) =>
        comments.get(`${table}.${column}`) ?? comments.get(`${others.get(table) ?? ''}.${column}`) ?? '';
      const columns = (base?.tableElts ?? []).flatMap((element) =>
        'ColumnDef' in element ? [columnOf(element.ColumnDef, commentFor)] : [],
      );
      return [[base?.relation?.relname ?? '', columns] as const];
    }),
  );
}

/** `select trailhound.comment_as('source.a', 'source.b')` */
function commentedAs(node: Node): readonly (readonly [table: string, other: string])[] {
  const targets = 'SelectStmt' in node ? (node.SelectStmt.targetList ?? []) : [];
  return targets.flatMap((target) => {
    const value = 'ResTarget' in target ? target.ResTarget.val : undefined;
    if (value === undefined || !('FuncCall' in value)) return [];
    const { funcname, args = [] } = value.FuncCall;
    if (stringOf(funcname?.at(-1)) !== 'comment_as') return [];
    const [table = '', other = ''] = args.map((arg) => ('A_Const' in arg ? (arg.A_Const.sval?.sval ?? '') : ''));
    return [[table, other]];
  });
}

function columnOf(column: ColumnDef, commentFor: (name: string) => string): DeclaredColumn {
  const name = column.colname ?? '';
  const options = (column.fdwoptions ?? []).flatMap((option) =>
    'DefElem' in option ? [[option.DefElem.defname ?? '', stringOf(option.DefElem.arg) ?? ''] as const] : [],
  );
  return {
    name,
    type: typeText(column.typeName),
    options: Object.fromEntries(options),
    comment: commentFor(name),
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
