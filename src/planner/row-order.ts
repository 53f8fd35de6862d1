import type { FuncCall, Node } from '@pgsql/types';
import { bare, walk } from '../sql/walk.ts';
import { isSame } from './sites.ts';
import type { Statement } from './statement.ts';

/** Aggregates whose value is the same in whatever order their rows come. */
const UNORDERED: ReadonlySet<string> = new Set(
  `count sum avg min max bool_and bool_or every bit_and bit_or bit_xor range_agg range_intersect_agg
   stddev stddev_pop stddev_samp variance var_pop var_samp corr covar_pop covar_samp
   regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy`.split(/\s+/),
);

/**
 * Whether a part of the tree reads rows in an order that nothing says: `(array_agg(x))[1]`, `(array(select …))[1]`.
 * ORDER BY something else leaves ties.
 */
export function dependsOnOrder(value: unknown, statement: Statement): boolean {
  let found = false;
  walk(value, (node, kind) => {
    const call = kind === 'FuncCall' ? bare(node, 'FuncCall') : undefined;
    if (call !== undefined && isOrdered(call, statement)) found = true;
    const element = kind === 'A_Indirection' ? bare(bare(node, 'A_Indirection')?.arg, 'SubLink') : undefined;
    if (element?.subLinkType === 'ARRAY_SUBLINK') found = true;
    return undefined;
  });
  return found;
}

function isOrdered(call: FuncCall, statement: Statement): boolean {
  const name = bare(call.funcname?.at(-1), 'String')?.sval ?? '';
  if (call.over !== undefined || !statement.functions.aggregate.has(name) || UNORDERED.has(name)) return false;
  if (call.agg_distinct === true || call.agg_within_group === true) return false;
  const sorted = (call.agg_order ?? []).flatMap((node): Node[] => {
    const by = bare(node, 'SortBy')?.node;
    return by === undefined ? [] : [by];
  });
  return !(call.args ?? []).every((arg) => 'A_Const' in arg || sorted.some((by) => isSame(by, arg, statement)));
}
