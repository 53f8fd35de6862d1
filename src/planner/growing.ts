import type { JoinExpr, JoinType, Node, SelectStmt } from '@pgsql/types';
import { TrailhoundError } from '../kernel/errors.ts';
import { deparse } from '../sql/deparse.ts';
import { isWithin, type Item, type Level } from '../sql/scope.ts';
import { bare } from '../sql/walk.ts';
import { callsVolatile, functionNames, hasWindow, isEvaluatedOnce } from './dependencies.ts';
import { leavesOf, reducedJoinTypes } from './joins.ts';
import { limitOf } from './limits.ts';
import { call, castTo, operation } from './nodes.ts';
import { passesEach, readerOf } from './passing.ts';
import type { Recursion } from './recursion.ts';
import type { Statement } from './statement.ts';
import type { Growing, Step } from './steps.ts';

/**
 * A statement that ends by its LIMIT, over rows of which it may need a part only: levels of a recursion, keys of a
 * look-up. They grow until it has enough.
 */
export interface Growth {
  readonly step: Growing;
  /** Gives one boolean: whether the statement has all the rows that its LIMIT lets through. */
  readonly probe: string;
  /** It reads ordinary relations: what changes between the probe and the statement itself would leave that short. */
  readonly ordinary: boolean;
}

/** @param mentionOf where the statement reads what a step gives, if in one place alone */
export function growthOf(
  statement: Statement,
  steps: readonly Step[],
  mentionOf: (step: Growing) => Item | undefined,
): Growth | undefined {
  const growing = steps.filter((step) => step.kind === 'recursion' || step.kind === 'lookup');
  const [step] = growing
    .filter((each) => {
      const item = mentionOf(each);
      return item !== undefined && isGrowable(item, statement.scopes.root.select, statement);
    })
    .sort((a, b) => Number(a.kind === 'lookup') - Number(b.kind === 'lookup'));
  const probe = step === undefined ? undefined : probeOf(statement.scopes.root.select);
  if (step === undefined || probe === undefined) return undefined;
  return { step, probe, ordinary: statement.readsOrdinaryRelations(statement.scopes.root.select) };
}

/** Whether keys that are read from a recursion are those of its first levels, as far as its tree goes now. */
export function endsByLimit({ cte, level, self }: Recursion, statement: Statement): boolean {
  const query = statement.scopes.root.select;
  const [mention, ...more] = cte.references.filter((item) => item !== self && !isWithin(item.level, level));
  if (mention === undefined || more.length > 0 || query.withClause === undefined) return false;
  const ctes = (query.withClause.ctes ?? []).filter((node) => bare(node, 'CommonTableExpr') !== cte.node);
  const rest = { ...query, withClause: { ...query.withClause, ctes } };
  return !statement.readsOrdinaryRelations(query) && isGrowable(mention, rest, statement);
}

/**
 * Whether more rows of an item only ever add rows to the statement, any of which its LIMIT may let through, and whether
 * the statement finds the same rows when it is run once more.
 */
function isGrowable(item: Item, query: SelectStmt, statement: Statement): boolean {
  const { scopes, functions, padded } = statement;
  const { root, levels } = scopes;
  const { limitCount, limitOption, targetList, distinctClause } = query;
  if (limitCount === undefined || limitOption !== 'LIMIT_OPTION_COUNT') return false;
  const outermost = throughLevels(item, root, statement);
  if (outermost === undefined) return false;
  const lists = [query.sortClause, query.groupClause, query.windowClause, query.lockingClause];
  const isSorted = lists.some((list) => (list ?? []).length > 0) || query.havingClause !== undefined;
  const distinctOn = (distinctClause ?? []).some((node) => Object.keys(node).length > 0);
  const aggregates = functionNames(targetList).some((name) => functions.aggregate.has(name));
  if (isSorted || distinctOn || aggregates || hasWindow(targetList) || limitOf(root, statement) === undefined)
    return false;
  if (!addsRows(outermost, query, statement)) return false;
  // What is not the same each time would leave the statement short of what its probe has found.
  if (statement.readsUnstable(query) || callsVolatile(query, statement) || padded.size > 0) return false;
  if (levels.some(({ ctes }) => ctes.some(({ node }) => bare(node.ctequery, 'SelectStmt') === undefined))) return false;
  return statement
    .levelsIn([query.withClause, targetList, query.fromClause, query.whereClause])
    .every((level) => !isEvaluatedOnce(level, statement));
}

/** What reads an item's rows on the statement's own level, through levels that take none away for more of them. */
function throughLevels(item: Item, root: Level, statement: Statement): Item | undefined {
  let at = item;
  while (at.level !== root) {
    const reader = passesEach(at.level, statement) ? readerOf(at.level) : undefined;
    if (reader === undefined || !addsRows(at, at.level.select, statement)) return undefined;
    at = reader;
  }
  return at;
}

/** An outer join adds a row of NULLs where the side that it may leave out has none: fewer of these are no part of all. */
function addsRows(item: Item, { fromClause }: SelectStmt, statement: Statement): boolean {
  const types = reducedJoinTypes(item.level, statement);
  return (fromClause ?? []).some((node) => isKept(node, item, types));
}

function isKept(node: Node, item: Item, types: ReadonlyMap<JoinExpr, JoinType>): boolean {
  if (node === item.node) return true;
  const join = bare(node, 'JoinExpr');
  if (join?.larg === undefined || join.rarg === undefined) return false;
  const onLeft = leavesOf(join.larg, item.level).includes(item);
  const kept = types.get(join);
  if (kept !== 'JOIN_INNER' && kept !== (onLeft ? 'JOIN_LEFT' : 'JOIN_RIGHT')) return false;
  return isKept(onLeft ? join.larg : join.rarg, item, types);
}

/** `select count(*) = <limit> from (<statement>)`: the statement cuts itself. Undefined where it cannot be written. */
function probeOf(query: SelectStmt): string | undefined {
  const { limitCount } = query;
  if (limitCount === undefined) return undefined;
  const count: Node = { FuncCall: { ...bare(call('count', []), 'FuncCall'), agg_star: true } };
  const isMet = operation(count, '=', castTo(limitCount, 'int8'));
  try {
    return deparse({
      SelectStmt: {
        targetList: [{ ResTarget: { val: isMet } }],
        fromClause: [{ RangeSubselect: { subquery: { SelectStmt: query }, alias: { aliasname: 'statement' } } }],
        limitOption: 'LIMIT_OPTION_DEFAULT',
        op: 'SETOP_NONE',
      },
    });
  } catch (error) {
    // All of its rows are as right as some.
    if (error instanceof TrailhoundError && error.code === 'not_supported') return undefined;
    throw error;
  }
}
