import type { Node } from '@pgsql/types';
import { bare, walk, type NodeKind } from '../sql/walk.ts';

/** Whether computing an expression of constants surely gives a value. */
export function cannotFail(expression: Node): boolean {
  let safe = true;
  walk(expression, (node, kind) => {
    if (!isSafe(node, kind)) safe = false;
    return safe;
  });
  return safe;
}

/** The same of one node, whatever is below it. */
export function isSafe(node: Node, kind: NodeKind): boolean {
  switch (kind) {
    case 'FuncCall':
      return SAFE_FUNCTIONS.has(lastName(bare(node, 'FuncCall')?.funcname));
    case 'A_Expr':
      return SAFE_OPERATORS.has(lastName(bare(node, 'A_Expr')?.name));
    case 'TypeCast': {
      // A literal's type is looked at before anything runs, as a text's is not.
      const { arg, typeName } = bare(node, 'TypeCast') ?? {};
      const isLiteral = arg !== undefined && ('A_Const' in arg || 'A_ArrayExpr' in arg);
      return isLiteral || ['text', 'varchar'].includes(lastName(typeName?.names));
    }
    default:
      return SAFE.has(kind);
  }
}

function lastName(names: readonly Node[] | undefined): string {
  return bare(names?.at(-1), 'String')?.sval ?? '';
}

const SAFE_FUNCTIONS: ReadonlySet<string> = new Set(['now', 'lower', 'upper', 'concat']);
const SAFE_OPERATORS: ReadonlySet<string> = new Set(['=', '<>', '<', '<=', '>', '>=', '+', '-', '||', 'BETWEEN']);
const SAFE: ReadonlySet<NodeKind> = new Set<NodeKind>([
  'A_Const',
  'A_ArrayExpr',
  'BoolExpr',
  'Integer',
  'List',
  'NullTest',
  'ParamRef',
  'SQLValueFunction',
  'String',
]);
