import type { A_Expr, Node } from '@pgsql/types';
import { type Column, type Operator, declaredAs } from '../catalog/table.ts';
import type { Level } from '../sql/scope.ts';
import { bare } from '../sql/walk.ts';
import { cannotFail } from './cannot-fail.ts';
import { containmentIn } from './json-containment.ts';
import { jsonMention } from './json-paths.ts';
import {
  contains,
  isConstant,
  isListed,
  operatorOf,
  MIRRORED,
  type ColumnOf,
  type OpenPredicate,
} from './predicates.ts';
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

  /**
   * @param wanted what the node must be: false below NOT
   * @param orNull NULL will do as well: below IS NOT TRUE
   */
  read(node: Node, wanted: boolean, orNull = false): OpenCondition {
    const boolean = bare(node, 'BoolExpr');
    if (boolean !== undefined) {
      const args = boolean.args ?? [];
      switch (boolean.boolop) {
        case 'NOT_EXPR':
          return args[0] === undefined ? UNKNOWN : this.read(args[0], !wanted, orNull);
        case 'AND_EXPR':
          return { kind: wanted ? 'and' : 'or', of: args.map((arg) => this.read(arg, wanted, orNull)) };
        case 'OR_EXPR':
          return { kind: wanted ? 'or' : 'and', of: args.map((arg) => this.read(arg, wanted, orNull)) };
        default:
          return UNKNOWN;
      }
    }
    if (contains(node, 'CollateClause')) return UNKNOWN;
    if (this.#isSafe(node)) {
      if (!orNull) return { kind: 'constant', node, wanted };
      return constant({ BooleanTest: { arg: node, booltesttype: wanted ? 'IS_NOT_FALSE' : 'IS_NOT_TRUE' } });
    }
    const nullTest = bare(node, 'NullTest');
    if (nullTest !== undefined) {
      const isNull = (nullTest.nulltesttype === 'IS_NULL') === wanted;
      return this.#one(nullTest.arg, isNull ? 'is null' : 'is not null');
    }
    const { arg, booltesttype } = bare(node, 'BooleanTest') ?? {};
    if (arg !== undefined) {
      switch (booltesttype) {
        case 'IS_TRUE':
          return this.read(arg, wanted, !wanted);
        case 'IS_NOT_TRUE':
          return this.read(arg, !wanted, wanted);
        case 'IS_FALSE':
          return this.read(arg, !wanted, !wanted);
        case 'IS_NOT_FALSE':
          return this.read(arg, wanted, wanted);
        default:
          return UNKNOWN;
      }
    }
    if ('FuncCall' in node) return (wanted && !orNull ? this.#pattern(node) : undefined) ?? UNKNOWN;
    if ('ColumnRef' in node) {
      const own = this.#one(node, wanted ? 'is true' : 'is false');
      return orNull ? { kind: 'or', of: [own, this.#one(node, 'is null')] } : own;
    }
    const expression = bare(node, 'A_Expr');
    if (expression === undefined) return UNKNOWN;
    const contained = wanted && !orNull ? containmentIn(node, this.#column) : [];
    if (contained.length > 0)
      return { kind: 'and', of: contained.map((predicate) => ({ kind: 'predicate', predicate })) };
    const own = this.#comparison(expression, wanted);
    return orNull ? { kind: 'or', of: [own, ...this.#nullsOf(expression)] } : own;
  }

  /** Where a comparison is NULL. */
  #nullsOf({ kind, lexpr, rexpr }: A_Expr): readonly OpenCondition[] {
    switch (kind) {
      case 'AEXPR_DISTINCT':
      case 'AEXPR_NOT_DISTINCT':
        return [];
      case 'AEXPR_OP':
      case 'AEXPR_LIKE':
      case 'AEXPR_ILIKE':
      case 'AEXPR_IN':
      case 'AEXPR_BETWEEN':
      case 'AEXPR_NOT_BETWEEN':
      case 'AEXPR_BETWEEN_SYM':
      case 'AEXPR_NOT_BETWEEN_SYM': {
        const operands = [lexpr, ...(bare(rexpr, 'List')?.items ?? [rexpr])];
        return operands.map((each) =>
          each !== undefined && this.#isSafe(each) ? constant(isNull(each)) : this.#one(each, 'is null'),
        );
      }
      default:
        return [UNKNOWN];
    }
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
      case 'AEXPR_DISTINCT':
      case 'AEXPR_NOT_DISTINCT': {
        // Both have the name of `=`.
        const isSame = (kind === 'AEXPR_NOT_DISTINCT') === wanted;
        if (this.#isSafe(rexpr)) return this.#distinct(lexpr, isSame, rexpr);
        return this.#isSafe(lexpr) ? this.#distinct(rexpr, isSame, lexpr) : UNKNOWN;
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
      case 'AEXPR_OP_ALL': {
        // `<> all` is what is not `= any`; of other operators that is something else.
        const isList =
          effective === (wanted === (kind === 'AEXPR_OP_ANY') ? '=' : '<>') ||
          (isListed(effective) && effective !== '=' && wanted && kind === 'AEXPR_OP_ANY');
        return isList && this.#isSafe(rexpr) ? this.#list(lexpr, effective, rexpr) : UNKNOWN;
      }
      case 'AEXPR_BETWEEN':
      case 'AEXPR_NOT_BETWEEN':
      case 'AEXPR_BETWEEN_SYM':
      case 'AEXPR_NOT_BETWEEN_SYM': {
        const [low, high] = list;
        if (low === undefined || high === undefined || !this.#isSafe(low) || !this.#isSafe(high)) return UNKNOWN;
        const isWithin = (kind === 'AEXPR_BETWEEN' || kind === 'AEXPR_BETWEEN_SYM') === wanted;
        const isSymmetric = kind === 'AEXPR_BETWEEN_SYM' || kind === 'AEXPR_NOT_BETWEEN_SYM';
        const orders = isSymmetric ? [[low, high] as const, [high, low] as const] : [[low, high] as const];
        const each = orders.map(([from, to]): OpenCondition =>
          isWithin
            ? { kind: 'and', of: [this.#one(lexpr, '>=', from), this.#one(lexpr, '<=', to)] }
            : { kind: 'or', of: [this.#one(lexpr, '<', from), this.#one(lexpr, '>', to)] },
        );
        const [only = UNKNOWN] = each;
        return each.length === 1 ? only : { kind: isWithin ? 'or' : 'and', of: each };
      }
      default:
        return UNKNOWN;
    }
  }

  /** A comparison that takes NULL for a value like any other. */
  #distinct(own: Node, isSame: boolean, value: Node): OpenCondition {
    const ofNull = this.#one(own, 'is null');
    return isSame
      ? { kind: 'or', of: [this.#one(own, '=', value), { kind: 'and', of: [ofNull, constant(isNull(value))] }] }
      : { kind: 'or', of: [this.#one(own, '<>', value), ofNull, constant(isNull(value))] };
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
    const json = jsonMention(own, this.#column);
    const column = json?.column ?? this.#column(own);
    if (column?.operators.includes(declaredAs(operator)) !== true) return UNKNOWN;
    if (column.type === 'jsonb' && json === undefined) return UNKNOWN;
    return { kind: 'predicate', predicate: { column, ...(json && { steps: json.steps }), operator, values } };
  }

  /** PostgreSQL may never get to an alternative, so that what could fail is not computed beforehand. */
  #isSafe(node: Node): boolean {
    return cannotFail(node) && isConstant(node, this.#level, this.#statement);
  }
}

function constant(node: Node): OpenCondition {
  return { kind: 'constant', node, wanted: true };
}

function isNull(arg: Node): Node {
  return { NullTest: { arg, nulltesttype: 'IS_NULL' } };
}

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
