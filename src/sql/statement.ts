import type { ExecuteStmt, Node } from '@pgsql/types';
import { modificationOf } from './modification.ts';
import { bare } from './walk.ts';

/** How a statement that names virtual tables is treated. */
export type StatementKind =
  | 'select'
  | 'cursor'
  | 'copy'
  | 'explain'
  | 'explain analyze'
  | 'create table as'
  /** INSERT, UPDATE, DELETE, MERGE. */
  | 'modification'
  /** EXECUTE, and EXPLAIN or CREATE TABLE AS of it: what it runs was prepared before. */
  | 'execute'
  /** Stores a query or names the table without reading it: relayed untouched. */
  | 'relay';

export interface Classified {
  readonly kind: StatementKind;
  /** The SELECT, INSERT, UPDATE, DELETE or MERGE whose references are replaced; undefined for 'relay' and 'execute'. */
  readonly query: Node | undefined;
  readonly explainFormat: 'text' | 'json' | 'other';
  /** Of kind 'execute' alone. */
  readonly execute: ExecuteStmt | undefined;
}

/** What a statement does with the tables that it names. */
export function classify(node: Node): Classified {
  const select = bare(node, 'SelectStmt');
  if (select !== undefined) return plain(select.intoClause === undefined ? 'select' : 'create table as', node);
  if (modificationOf(node) !== undefined) return plain('modification', node);
  const cursor = bare(node, 'DeclareCursorStmt');
  if (cursor !== undefined) return plain('cursor', cursor.query);
  const copy = bare(node, 'CopyStmt');
  if (copy !== undefined) return plain('copy', copy.query);
  const execute = bare(node, 'ExecuteStmt');
  if (execute !== undefined) return { kind: 'execute', query: undefined, explainFormat: 'text', execute };
  const created = bare(node, 'CreateTableAsStmt');
  // A materialized view keeps its query: replacing references would freeze today's rows in it.
  if (created?.objtype === 'OBJECT_TABLE') {
    return created.query !== undefined && 'ExecuteStmt' in created.query
      ? classify(created.query)
      : plain('create table as', created.query);
  }
  const explain = bare(node, 'ExplainStmt');
  if (explain?.query !== undefined) {
    const inner = classify(explain.query);
    const options = (explain.options ?? []).map((option) => bare(option, 'DefElem'));
    // The last one counts.
    const analyze = options.findLast((option) => option?.defname === 'analyze');
    const format = options.findLast((option) => option?.defname === 'format')?.arg;
    return {
      kind:
        inner.query === undefined
          ? inner.kind
          : analyze === undefined || isOff(analyze.arg)
            ? 'explain'
            : 'explain analyze',
      query: inner.query,
      explainFormat: formatOf(format),
      execute: inner.execute,
    };
  }
  return plain('relay');
}

function plain(kind: StatementKind, query?: Node): Classified {
  const reads = query !== undefined && ('SelectStmt' in query || modificationOf(query) !== undefined);
  return { kind: reads ? kind : 'relay', query: reads ? query : undefined, explainFormat: 'text', execute: undefined };
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
