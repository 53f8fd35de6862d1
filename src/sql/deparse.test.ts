import type { Node, SelectStmt } from '@pgsql/types';
import { describe, expect, test } from 'vitest';
import { deparse } from './deparse.ts';
import { parseOwn } from './parse.ts';

const WRITABLE = [
  "select x::pg_catalog.text, 'a'::pg_catalog.inet",
  "select (array[1, 2])[1], (array[x])[1]::text, (string_to_array(x, '.'))[4], x[1:2], (f(x)).y, (x).*",
  'select x from t order by x offset 1 fetch first (2 + 3) rows with ties',
  'select - (-1), -1::int, (-1)::int, 2 ^ (3 ^ 4), a - (b - c), not (a and b), (a is null) = b, a = (b = c), -a ^ 2',
  "select (x -> 'a')::text, x -> 'a'::text, (x || y)::text, (case when x then y end)::inet, (select y)::inet",
  "select x at time zone 'UTC', interval '1' day, interval(3) '1.2345 s', extract(epoch from x), x::numeric(10, 2)",
  "select E'a\\nb\\\\c''d', U&'\\0041', $$a'b$$, B'101', X'ff', 'é', .5, 100000000000",
  'select count(distinct x) filter (where y), mode() within group (order by x), sum(x) over (order by y rows 2 preceding)',
  'select x operator(pg_catalog.+) y, x collate pg_catalog."C", f(a => 1), f(variadic array[1, 2])',
  'select "Quoted"."Col", "select" as "from", t.count, t.timestamp, x as "X y" from "T" as t',
  'select * from only t, rows from (f(1), g(2)) with ordinality as r(a, n), lateral unnest(a.x) u(v)',
  'select * from (a join (b join c using (x) as u) on a.x = u.x) as j(p, q) natural left join d cross join (e cross join f)',
  'select distinct on (x) x, y from t group by grouping sets ((x), (y), ()) for update of t skip locked',
  '(select 1 union select 2) intersect (select 3 limit 1) order by 1',
  'with recursive r(n) as (select 1 union all select n + 1 from r) cycle n set c using p, m as materialized (table t) select * from r, m',
  "select x like 'a%' escape '#', x not between symmetric 1 and 2, (x, y) in ((1, 2)), x <> all ('{a}'::text[]), x is not true",
  'select (x is distinct from y) is not true, (x in (1, 2)) is true, (x is null) is null, (x is true) is unknown, x is null',
  'select (not x) is not false, (x and y) is true, (a = b) is null, row(a, b) is null, ((select x)) is not null, - x is null',
];

describe('what the planner builds reads back as what it built', () => {
  test.each(WRITABLE)('%s', (text) => {
    expect(() => deparse(parseOwn(text))).not.toThrow();
  });

  test('OR in OR, which its parser makes one', () => {
    const [x, y, z] = ['x', 'y', 'z'].map((name): Node => ({ ColumnRef: { fields: [{ String: { sval: name } }] } }));
    const or = (...args: Node[]): Node => ({ BoolExpr: { boolop: 'OR_EXPR', args } });
    const statement: SelectStmt = {
      targetList: [{ ResTarget: { val: or(or(x!, y!), or(y!, z!)) } }],
      limitOption: 'LIMIT_OPTION_DEFAULT',
      op: 'SETOP_NONE',
    };
    expect(deparse({ SelectStmt: statement })).toMatch(/^SELECT /);
  });

  test('what cannot be written down is refused, and never another question', () => {
    expect(() => deparse(parseOwn('select x from t group by distinct x, y'))).toThrow(/cannot be computed/);
    expect(() => deparse(parseOwn("select json_value(x, '$.a')"))).toThrow(/cannot be computed/);
  });
});
