import type { A_Expr, CaseExpr, FuncCall, Node, SubLink } from '@pgsql/types';
import type { Item, Level } from '../sql/scope.ts';
import { bare } from '../sql/walk.ts';
import { hasRowAnyway } from './always-a-row.ts';
import { isOperator } from './sites.ts';
import type { Statement } from './statement.ts';

/** What is true of each row of a level, and the items of which each of them has a row. */
export interface InnerConditions {
  readonly conditions: readonly Node[];
  readonly items: ReadonlySet<Item>;
}

/** `all`: whatever the rows are. */
type Items = ReadonlySet<Item> | 'all';

const NONE: ReadonlySet<Item> = new Set();

/** The items of a level of which no NULL-extended row passes a condition. */
export function nonNullItems(
  node: Node,
  level: Level,
  statement: Statement,
  innerConditions: (level: Level) => InnerConditions,
): ReadonlySet<Item> {
  const found = new Strictness(statement, innerConditions).barring(true, node);
  // No row at all passes what is never true.
  return new Set(found === 'all' ? level.items : [...found].filter((item) => item.level === level));
}

/** What NULLs in the place of an item's row make of expressions, as far as strict functions and operators say it. */
class Strictness {
  readonly #statement: Statement;
  readonly #innerConditions: (level: Level) => InnerConditions;

  constructor(statement: Statement, innerConditions: (level: Level) => InnerConditions) {
    this.#statement = statement;
    this.#innerConditions = innerConditions;
  }

  /** Items whose NULLs keep a condition from an outcome. */
  barring(outcome: boolean, node: Node): Items {
    return union([this.#nulling(node), this.#barringOtherwise(outcome, node)]);
  }

  #barringOtherwise(outcome: boolean, node: Node): Items {
    const barring = (wanted: boolean, args: readonly Node[] = []): Items[] =>
      args.map((each) => this.barring(wanted, each));
    const constant = bare(node, 'A_Const')?.boolval;
    if (constant !== undefined) return (constant.boolval ?? false) === outcome ? NONE : 'all';
    const bool = bare(node, 'BoolExpr');
    switch (bool?.boolop) {
      case 'NOT_EXPR':
        return union(barring(!outcome, bool.args));
      case 'AND_EXPR':
        return outcome ? union(barring(true, bool.args)) : intersection(barring(false, bool.args));
      case 'OR_EXPR':
        return outcome ? intersection(barring(true, bool.args)) : union(barring(false, bool.args));
      default:
    }
    const { arg: tested, booltesttype } = bare(node, 'BooleanTest') ?? {};
    if (tested !== undefined) {
      if (booltesttype === (outcome ? 'IS_TRUE' : 'IS_NOT_TRUE')) return this.barring(true, tested);
      if (booltesttype === (outcome ? 'IS_FALSE' : 'IS_NOT_FALSE')) return this.barring(false, tested);
      return booltesttype === (outcome ? 'IS_NOT_UNKNOWN' : 'IS_UNKNOWN') ? this.#nulling(tested) : NONE;
    }
    const { arg, nulltesttype } = bare(node, 'NullTest') ?? {};
    if (arg !== undefined)
      return nulltesttype === (outcome ? 'IS_NOT_NULL' : 'IS_NULL')
        ? union([this.#nulling(arg), this.#nullRow(arg)])
        : NONE;
    const expression = bare(node, 'A_Expr');
    if (expression !== undefined) return this.#barringComparison(outcome, expression);
    const sublink = bare(node, 'SubLink');
    if (sublink !== undefined) return this.#barringSublink(outcome, sublink);
    const either = bare(node, 'CaseExpr');
    if (either !== undefined) return this.#ofCase(either, (result) => this.barring(outcome, result));
    const coalesce = bare(node, 'CoalesceExpr');
    return coalesce === undefined ? NONE : intersection(barring(outcome, coalesce.args));
  }

  #barringComparison(outcome: boolean, { kind, name, lexpr, rexpr }: A_Expr): Items {
    if (lexpr === undefined || rexpr === undefined) return NONE;
    const isEquality = isOperator(outcome ? '=' : '<>', name, this.#statement);
    const items = bare(rexpr, 'List')?.items ?? [];
    switch (kind) {
      case 'AEXPR_OP':
        return isEquality ? this.#equal(lexpr, rexpr) : NONE;
      case 'AEXPR_IN':
        return isEquality ? intersection(items.map((each) => this.#equal(lexpr, each))) : NONE;
      case 'AEXPR_OP_ANY':
      case 'AEXPR_OP_ALL': {
        // Over an empty array ANY is false and ALL is true.
        if (outcome !== (kind === 'AEXPR_OP_ANY')) return NONE;
        const elements = elementsOf(rexpr);
        const one = elements.length === 0 ? NONE : intersection(elements.map((each) => this.#nulling(each)));
        return union([this.#nulling(lexpr), one]);
      }
      case 'AEXPR_BETWEEN':
      case 'AEXPR_NOT_BETWEEN':
        return outcome === (kind === 'AEXPR_BETWEEN') ? union(items.map((each) => this.#nulling(each))) : NONE;
      case 'AEXPR_DISTINCT':
      case 'AEXPR_NOT_DISTINCT': {
        // NULL is the same as NULL, and not the same as any value.
        const wanted = outcome === (kind === 'AEXPR_DISTINCT') ? 'null' : 'value';
        if (constantOf(rexpr) === wanted) return this.#nulling(lexpr);
        return constantOf(lexpr) === wanted ? this.#nulling(rexpr) : NONE;
      }
      default:
        return NONE;
    }
  }

  /** Rows are equal where all of their columns are. */
  #equal(left: Node, right: Node): Items {
    const sides = [left, right].flatMap((side) => bare(side, 'RowExpr')?.args ?? [side]);
    return union(sides.map((each) => this.#nulling(each)));
  }

  #barringSublink(outcome: boolean, { subLinkType, testexpr, operName, subselect }: SubLink): Items {
    const inner = this.#statement.levelOf(bare(subselect, 'SelectStmt'));
    const row = inner === undefined ? NONE : this.#barringRow(inner);
    const isRow = testexpr !== undefined && 'RowExpr' in testexpr;
    const isEquality = isOperator(outcome ? '=' : '<>', operName, this.#statement);
    const test = testexpr === undefined || (isRow && !isEquality) ? NONE : this.#equal(testexpr, testexpr);
    switch (subLinkType) {
      case 'EXISTS_SUBLINK':
        return outcome ? row : NONE;
      case 'ANY_SUBLINK':
        return outcome ? union([row, test]) : NONE;
      case 'ALL_SUBLINK':
        return outcome ? NONE : union([row, test]);
      case 'EXPR_SUBLINK': {
        const value = inner && valueOf(inner);
        return value === undefined ? NONE : this.barring(outcome, value);
      }
      default:
        return NONE;
    }
  }

  /** Items around a level whose NULLs leave it without rows. */
  #barringRow(level: Level): Items {
    const { select, branches, items } = level;
    if (branches.length > 0) {
      const each = branches.map((branch) => this.#barringRow(branch));
      switch (select.op) {
        case 'SETOP_UNION':
          return intersection(each);
        case 'SETOP_INTERSECT':
          return union(each);
        default:
          return each[0] ?? NONE;
      }
    }
    if (hasRowAnyway(level, this.#statement)) return NONE;
    const inner = this.#innerConditions(level);
    const below = items.flatMap((item) => (inner.items.has(item) && item.subquery ? [item.subquery] : []));
    return union([
      ...inner.conditions.map((condition) => this.barring(true, condition)),
      ...below.map((each) => this.#barringRow(each)),
    ]);
  }

  /** Items whose NULLs make a value NULL. */
  #nulling(value: Node): Items {
    const nulling = (args: readonly (Node | undefined)[] = []): Items[] =>
      args.flatMap((each) => (each === undefined ? [] : [this.#nulling(each)]));
    if ('ColumnRef' in value) return this.#column(value);
    if ('A_Const' in value) return constantOf(value) === 'null' ? 'all' : NONE;
    const inside = bare(value, 'TypeCast') ?? bare(value, 'CollateClause');
    if (inside !== undefined) return union(nulling([inside.arg]));
    const called = bare(value, 'FuncCall');
    if (called !== undefined) return this.#isStrict(called) ? union(nulling(called.args)) : NONE;
    const expression = bare(value, 'A_Expr');
    if (expression !== undefined) return this.#nullingExpression(expression, nulling);
    // One FALSE makes AND false, one TRUE OR true: for NULL all must be.
    const alternatives = bare(value, 'CoalesceExpr') ?? bare(value, 'MinMaxExpr') ?? bare(value, 'BoolExpr');
    if (alternatives !== undefined) return intersection(nulling(alternatives.args));
    const either = bare(value, 'CaseExpr');
    if (either !== undefined) return this.#ofCase(either, (result) => this.#nulling(result));
    const sublink = bare(value, 'SubLink');
    const inner = this.#statement.levelOf(bare(sublink?.subselect, 'SelectStmt'));
    if (sublink?.subLinkType !== 'EXPR_SUBLINK' || inner === undefined) return NONE;
    return union([this.#barringRow(inner), ...nulling([valueOf(inner)])]);
  }

  #nullingExpression(
    { kind, name, lexpr, rexpr }: A_Expr,
    nulling: (args: readonly (Node | undefined)[]) => Items[],
  ): Items {
    switch (kind) {
      case 'AEXPR_OP':
        // PostgreSQL's own operators are strict but for || of arrays.
        return bare(name?.at(-1), 'String')?.sval === '||' ? NONE : union(nulling([lexpr, rexpr]));
      case 'AEXPR_LIKE':
      case 'AEXPR_ILIKE':
        return union(nulling([lexpr, rexpr]));
      case 'AEXPR_NULLIF':
      case 'AEXPR_IN':
      case 'AEXPR_BETWEEN':
      case 'AEXPR_NOT_BETWEEN':
      case 'AEXPR_BETWEEN_SYM':
      case 'AEXPR_NOT_BETWEEN_SYM':
        return union(nulling([lexpr]));
      case 'AEXPR_OP_ANY':
      case 'AEXPR_OP_ALL':
        return union(nulling([rexpr]));
      default:
        return NONE;
    }
  }

  #ofCase({ arg, args = [], defresult }: CaseExpr, ofResult: (result: Node) => Items): Items {
    const results = args.map((node): Items => {
      const { expr, result } = bare(node, 'CaseWhen') ?? {};
      if (expr === undefined || result === undefined) return NONE;
      const condition = arg === undefined ? this.barring(true, expr) : union([this.#nulling(arg), this.#nulling(expr)]);
      return union([condition, ofResult(result)]);
    });
    return intersection([...results, defresult === undefined ? 'all' : ofResult(defresult)]);
  }

  #column(node: Node): Items {
    const column = bare(node, 'ColumnRef');
    if (column === undefined || !this.#statement.scopes.levelOf.has(column)) return NONE;
    const meaning = this.#statement.names.resolve(column);
    return meaning.kind === 'column' ? new Set([meaning.item]) : NONE;
  }

  /** `a is not null` of a whole row, or of one that is written out. */
  #nullRow(node: Node): Items {
    const column = bare(node, 'ColumnRef');
    if (column === undefined || !this.#statement.scopes.levelOf.has(column)) return NONE;
    const meaning = this.#statement.names.resolve(column);
    if (meaning.kind !== 'row' || meaning.merged !== undefined || meaning.items.length !== 1) return NONE;
    return new Set(meaning.items);
  }

  /** `inet(text)` is a cast that looks like a call. */
  #isStrict({ funcname = [], args = [] }: FuncCall): boolean {
    const { strict, ownEquality } = this.#statement.functions;
    const [name = '', schema] = funcname.map((part) => bare(part, 'String')?.sval ?? '').reverse();
    if (strict.has(name)) return true;
    return name === 'inet' && args.length === 1 && (schema === undefined ? ownEquality : schema === 'pg_catalog');
  }
}

/** What a subquery of one column and one SELECT gives. */
function valueOf({ select, branches }: Level): Node | undefined {
  const [target, ...others] = select.targetList ?? [];
  return branches.length > 0 || others.length > 0 ? undefined : bare(target, 'ResTarget')?.val;
}

/** Of an array that is written out. */
function elementsOf(array: Node): readonly Node[] {
  return bare(bare(array, 'TypeCast')?.arg ?? array, 'A_ArrayExpr')?.elements ?? [];
}

function constantOf(node: Node): 'null' | 'value' | undefined {
  const constant = bare(bare(node, 'TypeCast')?.arg ?? node, 'A_Const');
  if (constant === undefined) return undefined;
  return constant.isnull === true ? 'null' : 'value';
}

function union(sets: readonly Items[]): Items {
  const found = new Set<Item>();
  for (const set of sets) {
    if (set === 'all') return 'all';
    for (const item of set) found.add(item);
  }
  return found;
}

function intersection(sets: readonly Items[]): Items {
  const [first, ...others] = sets.filter((set) => set !== 'all');
  if (first === undefined) return sets.length === 0 ? NONE : 'all';
  return new Set([...first].filter((item) => others.every((set) => set.has(item))));
}
