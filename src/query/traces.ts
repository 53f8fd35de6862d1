import type { Node } from '@pgsql/types';
import { bare, walk } from '../sql/walk.ts';

/** What a statement's kind says of what it may lead to. */
export interface Traces {
  /** DO or CALL: nothing in them is planned, and they may end transactions. */
  readonly block: boolean;
  /** It stores the rows of a query: a materialized view's, at its making and when it is refreshed. */
  readonly storing: boolean;
  /** A recursion in it has SEARCH or CYCLE: PostgreSQL reads its tables a second time. */
  readonly marked: boolean;
  /** What it writes to or refreshes: names that stand in no FROM and no expression. */
  readonly written: readonly string[];
  /** The view or function that it makes. */
  readonly made: string | undefined;
  /** The cursor that FETCH or MOVE runs. */
  readonly fetched: string | undefined;
  /** The cursor that it declares. */
  readonly declared: DeclaredCursor | undefined;
}

export interface DeclaredCursor {
  readonly name: string;
  /** FETCH alone runs it, and as any other statement. */
  readonly plain: boolean;
  /** WITH HOLD: needs no block. */
  readonly held: boolean;
}

/** CURSOR_OPT_BINARY and CURSOR_OPT_HOLD in parsenodes.h: rows in another format; run by the transaction's end. */
const BINARY_CURSOR = 0x0001;
const HELD_CURSOR = 0x0020;

export function tracesOf(node: Node): Traces {
  const created = bare(node, 'CreateTableAsStmt');
  const stored = created?.objtype === 'OBJECT_MATVIEW';
  const cursor = bare(node, 'DeclareCursorStmt');
  return {
    fetched: bare(node, 'FetchStmt')?.portalname,
    declared: cursor && {
      name: cursor.portalname ?? '',
      plain: ((cursor.options ?? 0) & (BINARY_CURSOR | HELD_CURSOR)) === 0,
      held: ((cursor.options ?? 0) & HELD_CURSOR) !== 0,
    },
    block: 'DoStmt' in node || 'CallStmt' in node,
    storing: 'RefreshMatViewStmt' in node || stored,
    marked: hasMarks(node),
    written: writtenBy(node),
    made:
      bare(node, 'ViewStmt')?.view?.relname ??
      (stored ? created.into?.rel?.relname : undefined) ??
      bare(bare(node, 'CreateFunctionStmt')?.funcname?.at(-1), 'String')?.sval,
  };
}

function hasMarks(node: Node): boolean {
  let found = false;
  walk(node, (inner, kind) => {
    const cte = kind === 'CommonTableExpr' ? bare(inner, 'CommonTableExpr') : undefined;
    if (cte?.search_clause !== undefined || cte?.cycle_clause !== undefined) found = true;
    return undefined;
  });
  return found;
}

function writtenBy(node: Node): string[] {
  const inner = bare(node, 'ExplainStmt')?.query ?? node;
  const relation =
    bare(inner, 'InsertStmt')?.relation ??
    bare(inner, 'UpdateStmt')?.relation ??
    bare(inner, 'DeleteStmt')?.relation ??
    bare(inner, 'MergeStmt')?.relation ??
    bare(inner, 'RefreshMatViewStmt')?.relation;
  return relation?.relname === undefined ? [] : [relation.relname];
}
