import { isDeepStrictEqual } from 'node:util';
import type { A_Indirection, BooleanTest, BoolExpr, Node, NullTest, SelectStmt, TypeCast } from '@pgsql/types';
import { Deparser } from 'pgsql-deparser';
import { TrailhoundError } from '../kernel/errors.ts';
import { parseStatements } from './parse.ts';

/**
 * The text of a statement that the planner built.
 *
 * The text is parsed again and compared with the tree that it came from: a deparser's mistake must never become
 * another question than the one that was meant.
 */
export function deparse(node: Node): string {
  const text = write(node);
  if (text === undefined || !isDeepStrictEqual(shape(parse(text)), shape(node))) {
    throw new TrailhoundError('not_supported', 'the keys of this statement cannot be computed', {
      detail: `An expression that they come from has no form that reads back as the same one${text === undefined ? '.' : `: ${text}`}`,
      hint: 'Write the keys in another way, or put them into a table first: create temp table keys as select ....',
    });
  }
  return text;
}

function write(node: Node): string | undefined {
  try {
    return new OwnDeparser(node, { pretty: false }).deparseQuery();
  } catch (error) {
    // It throws plain errors for nodes that it does not know, as those of SQL/JSON.
    if (error instanceof Error && error.message.startsWith('Error deparsing')) return undefined;
    throw error;
  }
}

function parse(text: string): Node | undefined {
  return parseStatements(text)?.[0]?.node;
}

type DeparserContext = Parameters<Deparser['SelectStmt']>[1];

/** What pgsql-deparser writes so that it reads back as something else. */
class OwnDeparser extends Deparser {
  /** `x::pg_catalog.text` lost its schema, and with it its meaning where a path has another "text". */
  override TypeCast(node: TypeCast, context: DeparserContext): string {
    if (node.arg === undefined || node.typeName === undefined || (node.typeName.names ?? []).length < 2)
      return super.TypeCast(node, context);
    return `CAST(${this.visit(node.arg, context)} AS ${this.TypeName(node.typeName, context)})`;
  }

  /** `(array[1, 2])[1]` lost its parentheses. */
  override A_Indirection(node: A_Indirection, context: DeparserContext): string {
    const text = super.A_Indirection(node, context);
    if (node.arg === undefined) return text;
    const argument = this.visit(node.arg, context);
    return text.startsWith('(') ? text : `(${argument})${text.slice(argument.length)}`;
  }

  /** `(x is distinct from y) is not true` lost its parentheses. */
  override BooleanTest(node: BooleanTest, context: DeparserContext): string {
    return this.#enclosed(node.arg, super.BooleanTest(node, context), context.spawn('BooleanTest', { bool: true }));
  }

  override NullTest(node: NullTest, context: DeparserContext): string {
    return this.#enclosed(node.arg, super.NullTest(node, context), context);
  }

  /** Its argument, with which the text begins, in parentheses. */
  #enclosed(argument: Node | undefined, text: string, context: DeparserContext): string {
    if (argument === undefined || 'ColumnRef' in argument) return text;
    const own = this.visit(argument, context);
    return `(${own})${text.slice(own.length)}`;
  }

  /** WITH TIES became LIMIT. */
  override SelectStmt(node: SelectStmt, context: DeparserContext): string {
    const { limitCount, ...rest } = node;
    if (limitCount === undefined || node.limitOption !== 'LIMIT_OPTION_WITH_TIES')
      return super.SelectStmt(node, context);
    const text = super.SelectStmt({ ...rest, limitOption: 'LIMIT_OPTION_DEFAULT' }, context);
    return `${text} FETCH FIRST (${this.visit(limitCount, context)}) ROWS WITH TIES`;
  }
}

/** The tree without what does not change its meaning: locations, undefined members, empty lists, OR right in OR. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shape);
  if (isJunction(value)) {
    const { boolop, args = [] } = value.BoolExpr;
    return { BoolExpr: { boolop, args: args.flatMap((arg) => flat(arg, boolop)).map(shape) } };
  }
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value)
    .filter(
      ([name, member]) => !isLocation(name) && member !== undefined && !(Array.isArray(member) && member.length === 0),
    )
    .map(([name, member]) => [name, shape(member)] as const);
  return Object.fromEntries(entries);
}

interface Junction {
  readonly BoolExpr: BoolExpr;
}

/** PostgreSQL's parser makes one list of `(a or b) or c`, whatever the parentheses say. */
function isJunction(value: unknown): value is Junction {
  return (
    typeof value === 'object' &&
    value !== null &&
    'BoolExpr' in value &&
    (value as Junction).BoolExpr.boolop !== 'NOT_EXPR'
  );
}

function flat(node: Node, boolop: BoolExpr['boolop']): Node[] {
  return isJunction(node) && node.BoolExpr.boolop === boolop
    ? (node.BoolExpr.args ?? []).flatMap((arg) => flat(arg, boolop))
    : [node];
}

function isLocation(name: string): boolean {
  return (
    name === 'location' ||
    name.endsWith('_location') ||
    name === 'rexpr_list_start' ||
    name === 'rexpr_list_end' ||
    name === 'list_start' ||
    name === 'list_end'
  );
}
