import type { Node, SubLink } from '@pgsql/types';
import type { Level } from '../sql/scope.ts';
import { bare } from '../sql/walk.ts';
import { hasRowAnyway } from './always-a-row.ts';
import { isLimitedToNone } from './dependencies.ts';
import { innerConditions } from './joins.ts';
import { fewest, type KeySource, type Sought } from './key-source.ts';
import { columnOf, selectOf } from './nodes.ts';
import { formOf } from './sites.ts';

/** What a list of conditions, all of them true, says of the site. */
type Conjunction = (nodes: readonly Node[], level: Level, sought: Sought) => readonly KeySource[] | undefined;

/** A level has a row only where its conditions are true: `exists (select from t where t.x = site)`. */
export function sourcesOfRow(
  level: Level,
  sought: Sought,
  sourcesOfAll: Conjunction,
): readonly KeySource[] | undefined {
  const { statement } = sought;
  const { select, branches, items } = level;
  if (isLimitedToNone(level)) return [];
  const each = branches.map((branch) => sourcesOfRow(branch, sought, sourcesOfAll));
  if (each.length > 0) {
    switch (select.op) {
      case 'SETOP_UNION':
        return each.every((sources) => sources !== undefined) ? each.flat() : undefined;
      case 'SETOP_INTERSECT':
        return fewest(each, statement);
      default:
        return each[0];
    }
  }
  if (hasRowAnyway(level, statement)) return undefined;
  const { conditions, items: inner } = innerConditions(level, statement);
  const below = items.map((item) =>
    item.subquery === undefined || !inner.has(item) ? undefined : sourcesOfRow(item.subquery, sought, sourcesOfAll),
  );
  return fewest([sourcesOfAll(conditions, level, sought), ...below], statement);
}

/** `site in (select …)`, `(site, x) in (select …)`, and what says the same. */
export function sourcesOfMember(sublink: SubLink, level: Level, sought: Sought): readonly KeySource[] | undefined {
  const query = bare(sublink.subselect, 'SelectStmt');
  if (query === undefined || sublink.testexpr === undefined) return undefined;
  const isKey = (node: Node): boolean => formOf(node, sought.site, sought.keyType, sought.statement) !== undefined;
  const row = bare(sublink.testexpr, 'RowExpr')?.args;
  if (row === undefined) return isKey(sublink.testexpr) ? [{ query, level, when: [], guarded: false }] : undefined;
  const index = row.findIndex(isKey);
  if (index === -1) return undefined;
  const names = row.map((_each, at) => `c${String(at)}`);
  const alias = { aliasname: 'row', colnames: names.map((sval) => ({ String: { sval } })) };
  const subselect: Node = { RangeSubselect: { subquery: { SelectStmt: query }, alias, lateral: true } };
  const column = { ...selectOf(columnOf('row', names[index] ?? '')), fromClause: [subselect] };
  return [{ query: column, level, when: [], guarded: false }];
}
