import type { Node, SelectStmt } from '@pgsql/types';
import { bare } from './walk.ts';

/** How a statement that names virtual tables is treated. */
export type StatementKind =
  | 'select'
  | 'cursor'
  | 'copy'
  | 'explain'
  | 'explain analyze'
  | 'create table as'
  | 'insert'
  /** Stores a query or names the table without reading it: relayed untouched. */
  | 'relay'
  /** Reads rows in a way that is not planned: the loopback serves what its references' own conditions bound. */
  | 'unplanned';

export interface Classified {
  readonly kind: StatementKind;
  /** The query whose references are replaced; undefined for 'relay' and 'unplanned'. */
  readonly query: SelectStmt | undefined;
  readonly explainFormat: 'text' | 'json' | 'other';
}

/** What a statement does with the tables that it names. */
export function classify(node: Node): Classified {
  const select = bare(node, 'SelectStmt');
  if (select !== undefined)
    return select.intoClause === undefined ? plain('select', select) : plain('create table as', select);
  const cursor = bare(node, 'DeclareCursorStmt');
  if (cursor !== undefined) return plain('cursor', bare(cursor.query, 'SelectStmt'));
  const copy = bare(node, 'CopyStmt');
  if (copy !== undefined)
    return copy.query === undefined ? plain('relay') : plain('copy', bare(copy.query, 'SelectStmt'));
  const created = bare(node, 'CreateTableAsStmt');
  if (created !== undefined) {
    // A materialized view keeps its query: replacing references would freeze today's rows in it.
    return created.objtype === 'OBJECT_TABLE'
      ? plain('create table as', bare(created.query, 'SelectStmt'))
      : plain('relay');
  }
  const insert = bare(node, 'InsertStmt');
  if (insert !== undefined) {
    const query = bare(insert.selectStmt, 'SelectStmt');
    if (insert.withClause === undefined || query === undefined) return plain('insert', query);
    // The statement's WITH is the query's own; a second one inside of it would hide names of the first.
    return query.withClause === undefined
      ? plain('insert', { ...query, withClause: insert.withClause })
      : plain('unplanned');
  }
  const explain = bare(node, 'ExplainStmt');
  if (explain?.query !== undefined) {
    const inner = classify(explain.query);
    const options = (explain.options ?? []).map((option) => bare(option, 'DefElem'));
    const analyze = options.some((option) => option?.defname === 'analyze' && !isOff(option.arg));
    const format = options.find((option) => option?.defname === 'format')?.arg;
    return {
      kind: inner.query === undefined ? inner.kind : analyze ? 'explain analyze' : 'explain',
      query: inner.query,
      explainFormat: formatOf(format),
    };
  }
  if (['UpdateStmt', 'DeleteStmt', 'MergeStmt'].some((kind) => kind in node)) return plain('unplanned');
  return plain('relay');
}

function plain(kind: StatementKind, query?: SelectStmt): Classified {
  return { kind: query === undefined && kind !== 'relay' ? 'unplanned' : kind, query, explainFormat: 'text' };
}

function isOff(argument: Node | undefined): boolean {
  const word = bare(argument, 'String')?.sval?.toLowerCase();
  const boolean = bare(argument, 'Boolean')?.boolval;
  return (
    word === 'off' ||
    word === 'false' ||
    word === '0' ||
    boolean === false ||
    (argument !== undefined && 'Integer' in argument && (bare(argument, 'Integer')?.ival ?? 0) === 0)
  );
}

function formatOf(argument: Node | undefined): Classified['explainFormat'] {
  const word = bare(argument, 'String')?.sval?.toLowerCase();
  if (word === undefined || word === 'text') return 'text';
  return word === 'json' ? 'json' : 'other';
}
