import type { Node, ResTarget, SelectStmt } from '@pgsql/types';
import { bare, walk } from '../sql/walk.ts';
import { hasWindow } from './dependencies.ts';
import { and, castTo, columnOf } from './nodes.ts';
import type { Recursion } from './recursion.ts';
import type { Statement } from './statement.ts';

/**
 * SEARCH and CYCLE add columns of records to each row, which no text gives back: PostgreSQL computes such a recursion itself,
 * over look-ups that hold the keys of all its levels. For these its levels are computed beforehand without them, UNION
 * leaving out rows that were there. With CYCLE rows have their way with them as texts, which two rows that are equal may have
 * different: then there are more rows than PostgreSQL's, and more keys.
 */
export function isMarked({ cte }: Recursion): boolean {
  return cte.node.search_clause !== undefined || cte.node.cycle_clause !== undefined;
}

/** The rows of a level are then those that each row of the level before leads to by itself. */
export function isMarkable({ level, term, self, cte }: Recursion, statement: Statement): boolean {
  const { larg, rarg } = level.select;
  if (larg?.op !== 'SETOP_NONE' || rarg?.op !== 'SETOP_NONE' || self.level !== term) return false;
  const names = namesOf({ level, cte }, statement);
  if (names === undefined || new Set(names).size < names.length) return false;
  const { targetList, windowClause, groupClause, distinctClause, havingClause, limitCount, limitOffset } = term.select;
  const lists = [windowClause, groupClause, distinctClause].some((list) => (list ?? []).length > 0);
  const cuts = [havingClause, limitCount, limitOffset].some((part) => part !== undefined);
  return !lists && !cuts && !hasWindow(targetList) && !namesMore(term.select, self.name ?? '', cte.node);
}

/** `*`, whole rows and joins under a name would have what rows take with them; what is marked is not there yet. */
function namesMore(term: SelectStmt, own: string, { search_clause, cycle_clause }: Recursion['cte']['node']): boolean {
  const marks = [search_clause?.search_seq_column, cycle_clause?.cycle_mark_column, cycle_clause?.cycle_path_column];
  let found = false;
  walk(term, (node, kind) => {
    if (kind === 'JoinExpr' && bare(node, 'JoinExpr')?.alias !== undefined) found = true;
    const fields = kind === 'ColumnRef' ? (bare(node, 'ColumnRef')?.fields ?? []) : [];
    const last = bare(fields.at(-1), 'String')?.sval;
    const isStar = fields.some((field) => 'A_Star' in field) && [own, undefined].includes(firstName(fields));
    if (isStar || (fields.length === 1 && last === own) || (last !== undefined && marks.includes(last))) found = true;
    return undefined;
  });
  return found;
}

function firstName(fields: readonly Node[]): string | undefined {
  return bare(fields[0], 'String')?.sval;
}

/** The CTE's columns without those that are added; undefined where they are not known. */
function namesOf(
  { level, cte }: Pick<Recursion, 'level' | 'cte'>,
  statement: Statement,
): readonly string[] | undefined {
  const { names, open } = statement.names.outputs(level);
  const own = (cte.node.aliascolnames ?? []).map((name) => bare(name, 'String')?.sval ?? '');
  return open ? undefined : names.map((name, index) => own[index] ?? name);
}

const WAY = 'trailhound_way';
const ROWS = 'trailhound_rows';

/** The non-recursive term, each row with itself as its way. */
export function markedBase(base: SelectStmt, recursion: Recursion, statement: Statement): SelectStmt {
  const { cte } = recursion;
  const names = namesOf(recursion, statement) ?? [];
  const by = cte.node.cycle_clause?.cycle_col_list;
  if (by === undefined) return base;
  const way: Node = { A_ArrayExpr: { elements: [placeOf(by)] } };
  return { ...withColumns(base, names, way), ...NO_MORE };
}

/** The recursive term, where rows go no further that have come to where their way has been. */
export function markedTerm(term: SelectStmt, recursion: Recursion, statement: Statement): SelectStmt {
  const { cte, self } = recursion;
  const names = namesOf(recursion, statement) ?? [];
  const by = cte.node.cycle_clause?.cycle_col_list;
  if (by === undefined) return term;
  const own: ResTarget = { name: WAY, val: columnOf(self.name ?? '', WAY) };
  const rows = { ...term, targetList: [...(term.targetList ?? []), { ResTarget: own }] };
  const way = columnOf(ROWS, WAY);
  const place = placeOf(by);
  const longer: Node = { A_Expr: { kind: 'AEXPR_OP', name: operator('||'), lexpr: way, rexpr: place } };
  const isNew: Node = { A_Expr: { kind: 'AEXPR_OP_ALL', name: operator('<>'), lexpr: place, rexpr: way } };
  return { ...withColumns(rows, [...names, WAY], longer, names), whereClause: and([isNew]), ...NO_MORE };
}

const NO_MORE = { limitOption: 'LIMIT_OPTION_DEFAULT', op: 'SETOP_NONE' } as const;

function operator(name: string): Node[] {
  return [{ String: { sval: 'pg_catalog' } }, { String: { sval: name } }];
}

/** `row(a, b)::text`: equal only where the rows are. */
function placeOf(columns: readonly Node[]): Node {
  const args = columns.map((name) => columnOf(ROWS, bare(name, 'String')?.sval ?? ''));
  return castTo({ RowExpr: { args, row_format: 'COERCE_EXPLICIT_CALL' } }, 'text');
}

function withColumns(query: SelectStmt, names: readonly string[], way: Node, kept = names): SelectStmt {
  const colnames = names.map((sval): Node => ({ String: { sval } }));
  return {
    targetList: [
      ...kept.map((name): Node => ({ ResTarget: { val: columnOf(ROWS, name) } })),
      { ResTarget: { name: WAY, val: way } },
    ],
    fromClause: [{ RangeSubselect: { subquery: { SelectStmt: query }, alias: { aliasname: ROWS, colnames } } }],
  };
}
