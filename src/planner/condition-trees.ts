import type { A_Expr, Node } from '@pgsql/types';
import type { Column, Operator } from '../catalog/table.ts';
import type { Level } from '../sql/scope.ts';
import { bare, walk, type NodeKind } from '../sql/walk.ts';
import { jsonMention } from './json-paths.ts';
import { contains, isConstant, operatorOf, MIRRORED, type ColumnOf, type OpenPredicate } from './predicates.ts';
import type { Statement } from './statement.ts';

/**
 * A conjunct that no single predicate says, as alternatives and conjunctions of predicates: NOT is carried down to them,
 * which three-valued logic allows. `unknown` may be true of any row.
 */
export type OpenCondition =
  | { readonly kind: 'predicate'; readonly predicate: OpenPredicate }
  /** Names no column; NULL is as good as false. */
  | { readonly kind: 'constant'; readonly node: Node; readonly wanted: boolean }
  | { readonly kind: 'and' | 'or'; readonly of: readonly OpenCondition[] }
  | { readonly kind: 'unknown' };

const UNKNOWN: OpenCondition = { kind: 'unknown' };

/**
 * Undefined where the conjunct says nothing that a source could take.
 *
 * @param pattern what a call of event_matches() says
 */
export function conditionIn(
  node: Node,
  column: ColumnOf,
  level: Level,
  statement: Statement,
  pattern: (call: Node) => OpenCondition | undefined,
): OpenCondition | undefined {
  const condition = simplify(new Reader(column, level, statement, pattern).read(node, true));
  return condition.kind === 'unknown' || condition.kind === 'constant' ? undefined : condition;
}

/** IS NULL of a column that an outer join may have filled with NULLs says nothing of the rows to fetch. */
export function withoutNullTests(condition: OpenCondition, nullable: ReadonlySet<Column>): OpenCondition {
  switch (condition.kind) {
    case 'predicate': {
      const { column, operator } = condition.predicate;
      return operator === 'is null' && nullable.has(column) ? UNKNOWN : condition;
    }
    case 'and':
    case 'or':
      return { kind: condition.kind, of: condition.of.map((each) => withoutNullTests(each, nullable)) };
    case 'constant':
    case 'unknown':
      return condition;
  }
}

/** Without what says nothing: one unknown alternative makes all of them unknown. */
export function simplify(condition: OpenCondition): OpenCondition {
  switch (condition.kind) {
    case 'predicate':
    case 'constant':
    case 'unknown':
      return condition;
    case 'and': {
      const of = condition.of.map(simplify).filter(({ kind }) => kind !== 'unknown');
      const [only = UNKNOWN] = of;
      return of.length < 2 ? only : { kind: 'and', of };
    }
    case 'or': {
      const of = condition.of.map(simplify);
      return of.some(({ kind }) => kind === 'unknown') ? UNKNOWN : { kind: 'or', of };
    }
  }
}

/** What is true together. */
export function conjunctsOf(condition: OpenCondition): readonly OpenCondition[] {
  return condition.kind === 'and' ? condition.of.flatMap(conjunctsOf) : [condition];
}

class Reader {
  readonly #column: ColumnOf;
  readonly #level: Level;
  readonly #statement: Statement;

  readonly #pattern: (call: Node) => OpenCondition | undefined;

  constructor(
    column: ColumnOf,
    level: Level,
    statement: Statement,
    pattern: (call: Node) => OpenCondition | undefined,
  ) {
    this.#column = column;
    this.#pattern = pattern;
    this.#level = level;
    this.#statement = statement;
  }

  /** @param wanted what the node must be: false below NOT */
  read(node: Node, wanted: boolean): OpenCondition {
    const boolean = bare(node, 'BoolExpr');
    if (boolean !== undefined) {
      const args = boolean.args ?? [];
      switch (boolean.boolop) {
        case 'NOT_EXPR':
          return args[0] === undefined ? UNKNOWN : this.read(args[0], !wanted);
        case 'AND_EXPR':
          return { kind: wanted ? 'and' : 'or', of: args.map((arg) => this.read(arg, wanted)) };
        case 'OR_EXPR':
          return { kind: wanted ? 'or' : 'and', of: args.map((arg) => this.read(arg, wanted)) };
        default:
          return UNKNOWN;
      }
    }
    if (contains(node, 'CollateClause')) return UNKNOWN;
    if (this.#isSafe(node)) return { kind: 'constant', node, wanted };
    const nullTest = bare(node, 'NullTest');
    if (nullTest !== undefined) {
      const isNull = (nullTest.nulltesttype === 'IS_NULL') === wanted;
      return this.#one(nullTest.arg, isNull ? 'is null' : 'is not null');
    }
    const booleanTest = bare(node, 'BooleanTest');
    if (booleanTest !== undefined) {
      // IS NOT TRUE is also true of NULL.
      if (!wanted) return UNKNOWN;
      if (booleanTest.booltesttype === 'IS_TRUE') return this.#one(booleanTest.arg, 'is true');
      return booleanTest.booltesttype === 'IS_FALSE' ? this.#one(booleanTest.arg, 'is false') : UNKNOWN;
    }
    if ('FuncCall' in node) return (wanted ? this.#pattern(node) : undefined) ?? UNKNOWN;
    if ('ColumnRef' in node) return this.#one(node, wanted ? 'is true' : 'is false');
    const expression = bare(node, 'A_Expr');
    return expression === undefined ? UNKNOWN : this.#comparison(expression, wanted);
  }

  #comparison(expression: A_Expr, wanted: boolean): OpenCondition {
    const { kind, lexpr, rexpr } = expression;
    const operator = operatorOf(expression);
    if (lexpr === undefined || rexpr === undefined || operator === undefined) return UNKNOWN;
    const list = bare(rexpr, 'List')?.items ?? [];
    const effective = wanted ? operator : NEGATED[operator];
    if (effective === undefined) return UNKNOWN;
    switch (kind) {
      case 'AEXPR_OP': {
        const mirrored = MIRRORED[effective];
        if (this.#isSafe(rexpr)) return this.#one(lexpr, effective, rexpr);
        return this.#isSafe(lexpr) && mirrored !== undefined ? this.#one(rexpr, mirrored, lexpr) : UNKNOWN;
      }
      case 'AEXPR_LIKE':
      case 'AEXPR_ILIKE':
        return this.#isSafe(rexpr) ? this.#one(lexpr, effective, rexpr) : UNKNOWN;
      case 'AEXPR_IN':
        if (!list.every((each) => this.#isSafe(each))) return UNKNOWN;
        return effective === '='
          ? this.#one(lexpr, '=', ...list)
          : { kind: 'and', of: list.map((each) => this.#one(lexpr, '<>', each)) };
      case 'AEXPR_OP_ANY':
        return (effective === '=' || effective === 'ilike') && this.#isSafe(rexpr)
          ? this.#list(lexpr, effective, rexpr)
          : UNKNOWN;
      case 'AEXPR_BETWEEN': {
        const [low, high] = list;
        if (low === undefined || high === undefined || !this.#isSafe(low) || !this.#isSafe(high)) return UNKNOWN;
        return wanted
          ? { kind: 'and', of: [this.#one(lexpr, '>=', low), this.#one(lexpr, '<=', high)] }
          : { kind: 'or', of: [this.#one(lexpr, '<', low), this.#one(lexpr, '>', high)] };
      }
      default:
        return UNKNOWN;
    }
  }

  #one(own: Node | undefined, operator: Operator, ...values: Node[]): OpenCondition {
    return this.#predicate(
      own,
      operator,
      values.map((node) => ({ node, list: false })),
    );
  }

  #list(own: Node, operator: Operator, array: Node): OpenCondition {
    return this.#predicate(own, operator, [{ node: array, list: true }]);
  }

  #predicate(own: Node | undefined, operator: Operator, values: OpenPredicate['values']): OpenCondition {
    // Who can look for what is like a pattern can look for what is not.
    const declared = operator === 'not like' ? 'like' : operator;
    const json = jsonMention(own, this.#column);
    const column = json?.column ?? this.#column(own);
    if (column?.operators.includes(declared) !== true) return UNKNOWN;
    if (column.type === 'jsonb' && json === undefined) return UNKNOWN;
    return { kind: 'predicate', predicate: { column, ...(json && { steps: json.steps }), operator, values } };
  }

  /** PostgreSQL may never get to an alternative, so that what could fail is not computed beforehand. */
  #isSafe(node: Node): boolean {
    let safe = isConstant(node, this.#level, this.#statement);
    walk(node, (each, kind) => {
      if (!cannotFail(each, kind)) safe = false;
      return safe;
    });
    return safe;
  }
}

function cannotFail(node: Node, kind: NodeKind): boolean {
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

const NEGATED: Readonly<Partial<Record<Operator, Operator>>> = {
  '=': '<>',
  '<>': '=',
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
  like: 'not like',
  'not like': 'like',
};
