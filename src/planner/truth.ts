import type { BooleanTest, CaseExpr, Node, SubLink } from '@pgsql/types';
import type { Level } from '../sql/scope.ts';
import { bare } from '../sql/walk.ts';
import { conjunctsOf } from './dependencies.ts';
import { sourcesOfComparison, sourcesOfInterval } from './equalities.ts';
import { sourcesOfMember, sourcesOfRow } from './existence.ts';
import { fewest, onlyWhere, type KeySource, type Sought } from './key-source.ts';
import { formOf, isOperator } from './sites.ts';

type Sources = readonly KeySource[] | undefined;

/**
 * Where every value of a site comes from with which a condition has an outcome.
 *
 * @returns undefined where the condition does not say; no source where it never has that outcome
 */
export function sourcesWhen(outcome: boolean, node: Node, level: Level, sought: Sought): Sources {
  const constant = constantOf(node);
  if (constant !== undefined) return constant === outcome ? undefined : [];
  const either = bare(node, 'CaseExpr');
  if (either !== undefined) return sourcesOfCase(outcome, either, level, sought);
  const test = bare(node, 'BooleanTest');
  if (test !== undefined) return sourcesOfTest(outcome, test, level, sought);
  if (isNullTestOfKey(outcome, node, sought)) return [];
  const expression = bare(node, 'A_Expr');
  if (expression !== undefined) {
    return sourcesOfTruthValue(outcome, node, level, sought) ?? sourcesOfComparison(outcome, expression, level, sought);
  }
  const sublink = bare(node, 'SubLink');
  if (sublink !== undefined) return sourcesOfSublink(outcome, sublink, level, sought);
  const coalesce = bare(node, 'CoalesceExpr');
  if (coalesce !== undefined) return each(outcome, coalesce.args ?? [], level, sought);
  const { boolop, args = [] } = bare(node, 'BoolExpr') ?? {};
  switch (boolop) {
    case 'NOT_EXPR':
      return args[0] === undefined ? undefined : sourcesWhen(!outcome, args[0], level, sought);
    case 'AND_EXPR':
      return outcome ? sourcesOfAll(conjunctsOf(node), level, sought) : each(outcome, args, level, sought);
    case 'OR_EXPR':
      return outcome ? each(outcome, args, level, sought) : sourcesOfAll(args.map(negated), level, sought);
    default:
      return undefined;
  }
}

/** Of a key that is in every row: `is null` is never true of it. */
function isNullTestOfKey(outcome: boolean, node: Node, { site, keyType, statement }: Sought): boolean {
  const { arg, nulltesttype } = bare(node, 'NullTest') ?? {};
  if (arg === undefined || nulltesttype !== (outcome ? 'IS_NULL' : 'IS_NOT_NULL')) return false;
  return site.nullable !== true && formOf(arg, site, keyType, statement) === 'always';
}

/** One of them has the outcome: each must say. */
function each(outcome: boolean, nodes: readonly Node[], level: Level, sought: Sought): Sources {
  const found = nodes.map((node) => sourcesWhen(outcome, node, level, sought));
  return found.every((sources) => sources !== undefined) ? found.flat() : undefined;
}

function negated(node: Node): Node {
  return { BoolExpr: { boolop: 'NOT_EXPR', args: [node] } };
}

/** All of them are true: the one that says most is taken, where the others are true. */
export function sourcesOfAll(nodes: readonly Node[], level: Level, sought: Sought): Sources {
  const found = nodes.map((node) => {
    const sources = sourcesWhen(true, node, level, sought);
    const others = nodes.filter((other) => other !== node);
    return sources && onlyWhere(sources, others, level);
  });
  return fewest([...found, sourcesOfInterval(nodes, level, sought)], sought.statement);
}

/** TRUE, FALSE; NULL is neither. */
function constantOf(node: Node): boolean | 'null' | undefined {
  const constant = bare(bare(node, 'TypeCast')?.arg ?? node, 'A_Const');
  if (constant?.isnull === true) return 'null';
  return constant?.boolval === undefined ? undefined : (constant.boolval.boolval ?? false);
}

/** `(…) = true`, `(…) is distinct from false`, … as far as they say that the condition is true or false. */
function sourcesOfTruthValue(outcome: boolean, node: Node, level: Level, sought: Sought): Sources {
  const { kind, name, lexpr, rexpr } = bare(node, 'A_Expr') ?? {};
  if (lexpr === undefined || rexpr === undefined) return undefined;
  const [left, right] = [constantOf(lexpr), constantOf(rexpr)];
  const wanted = typeof left === 'boolean' ? left : right;
  if (typeof wanted !== 'boolean') return undefined;
  const operand = typeof left === 'boolean' ? rexpr : lexpr;
  const { statement } = sought;
  const equal =
    (kind === 'AEXPR_OP' && isOperator(outcome ? '=' : '<>', name, statement)) ||
    (isOperator('=', name, statement) && kind === (outcome ? 'AEXPR_NOT_DISTINCT' : 'AEXPR_DISTINCT'));
  if (equal) return sourcesWhen(wanted, operand, level, sought);
  const unequal = kind === 'AEXPR_OP' && isOperator(outcome ? '<>' : '=', name, statement);
  return unequal ? sourcesWhen(!wanted, operand, level, sought) : undefined;
}

function sourcesOfTest(outcome: boolean, { arg, booltesttype }: BooleanTest, level: Level, sought: Sought): Sources {
  if (arg === undefined) return undefined;
  if (booltesttype === (outcome ? 'IS_TRUE' : 'IS_NOT_TRUE')) return sourcesWhen(true, arg, level, sought);
  if (booltesttype === (outcome ? 'IS_FALSE' : 'IS_NOT_FALSE')) return sourcesWhen(false, arg, level, sought);
  return undefined;
}

/** The branch that is taken has the outcome: its condition says what the site is, or its result does. */
function sourcesOfCase(
  outcome: boolean,
  { arg, args = [], defresult }: CaseExpr,
  level: Level,
  sought: Sought,
): Sources {
  const found: Sources[] = [];
  const before: Node[] = [];
  for (const node of args) {
    const { expr, result } = bare(node, 'CaseWhen') ?? {};
    if (expr === undefined || result === undefined) return undefined;
    const condition: Node =
      arg === undefined
        ? expr
        : { A_Expr: { kind: 'AEXPR_OP', name: [{ String: { sval: '=' } }], lexpr: arg, rexpr: expr } };
    const byResult = sourcesWhen(outcome, result, level, sought);
    const byCondition = sourcesWhen(true, condition, level, sought);
    found.push(
      fewest(
        [
          byResult && onlyWhere(byResult, [...before, condition], level, true),
          byCondition && onlyWhere(byCondition, before, level, true),
        ],
        sought.statement,
      ),
    );
    before.push({ BooleanTest: { arg: condition, booltesttype: 'IS_NOT_TRUE' } });
  }
  const otherwise = defresult === undefined ? [] : sourcesWhen(outcome, defresult, level, sought);
  found.push(otherwise && onlyWhere(otherwise, before, level, true));
  return found.every((sources) => sources !== undefined) ? found.flat() : undefined;
}

function sourcesOfSublink(outcome: boolean, sublink: SubLink, level: Level, sought: Sought): Sources {
  const { subLinkType, operName } = sublink;
  const { statement } = sought;
  const inner = statement.levelOf(bare(sublink.subselect, 'SelectStmt'));
  switch (subLinkType) {
    case 'EXISTS_SUBLINK':
      return outcome && inner !== undefined ? sourcesOfRow(inner, sought, sourcesOfAll) : undefined;
    case 'ANY_SUBLINK':
    case 'ALL_SUBLINK': {
      // `<> all` is false where `= any` is true; and either of them finds a row there.
      if (outcome !== (subLinkType === 'ANY_SUBLINK')) return undefined;
      const equal = isOperator(outcome ? '=' : '<>', operName, statement);
      const member = equal ? sourcesOfMember(sublink, level, sought) : undefined;
      return member ?? (inner && sourcesOfRow(inner, sought, sourcesOfAll));
    }
    case 'EXPR_SUBLINK': {
      if (inner === undefined || inner.branches.length > 0) return undefined;
      const value = bare(inner.select.targetList?.[0], 'ResTarget')?.val;
      const byValue = value === undefined ? undefined : sourcesWhen(outcome, value, inner, sought);
      return fewest([byValue, sourcesOfRow(inner, sought, sourcesOfAll)], statement);
    }
    default:
      return undefined;
  }
}
