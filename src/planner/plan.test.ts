import { describe, expect, test } from 'vitest';
import type { Column, VirtualView } from '../catalog/table.ts';
import { parseOwn } from '../sql/parse.ts';
import { planStatement, type Planned } from './plan.ts';
import { restrictionsOf } from './restrictions.ts';
import type { Step } from './steps.ts';
import type { RelationFacts } from './relation-facts.ts';
import { Statement, type FunctionFacts } from './statement.ts';

function view(name: string, kind: 'scan' | 'lookup', columns: readonly [name: string, type: string][]): VirtualView {
  const made = columns.map(([column, type], index): Column => ({
    name: column,
    attnum: index + 1,
    type,
    typeOid: 0,
    notNull: false,
    path: column,
    key: kind === 'lookup' && index === 0 ? 'required' : undefined,
    operators: ['='],
    comment: '',
  }));
  const table = { schema: 'source', name, oid: 0, source: name, kind, ttlMs: 0, columns: made, comment: '' };
  return {
    schema: 'public',
    name,
    oid: 0,
    table,
    definition: `select * from source.${name}`,
    columns: made.map((column) => ({ ...column, column })),
  };
}

const EVENT = view('event', 'scan', [
  ['id', 'text'],
  ['ip', 'inet'],
  ['name', 'text'],
]);
const LOOKUP = view('lookup', 'lookup', [
  ['ip', 'inet'],
  ['score', 'integer'],
]);

const RELATIONS: ReadonlyMap<string, RelationFacts> = new Map([
  ['"event"', { oid: 1, columns: ['id', 'ip', 'name'], view: EVENT }],
  ['"lookup"', { oid: 2, columns: ['ip', 'score'], view: LOOKUP }],
  ['"known"', { oid: 3, columns: ['ip', 'note'], view: undefined }],
]);

const FUNCTIONS: FunctionFacts = {
  volatile: new Set(['random']),
  aggregate: new Set(['count', 'max', 'array_agg']),
  setReturning: new Set(['unnest']),
  strict: new Set<string>(),
  ownEquality: true,
};

function plan(text: string, functions = FUNCTIONS): Planned {
  const statement = new Statement(parseOwn(text), RELATIONS, functions);
  return planStatement(statement, new Map(statement.references.map((each) => [each, restrictionsOf(each, statement)])));
}

/** What is done, in order: `scan event`, `lookup <key query>`, `evaluate <query>`. */
function stepsOf(text: string): string[] {
  const planned = plan(text);
  if (!('plan' in planned)) throw planned.error;
  return described(planned.plan.steps);
}

function described(steps: readonly Step[]): string[] {
  return steps.flatMap((step) => {
    switch (step.kind) {
      case 'scan':
        return `scan ${step.reference.view.name}`;
      case 'lookup':
        return `lookup ${step.queries.map(readable).join(' | ')}`;
      case 'refuse':
        return `refuse ${step.unbounded.view.name}`;
      case 'evaluate':
        return `evaluate ${readable(step.query)}`;
      case 'recursion':
        return [`recurse ${readable(step.base)}`, ...described(step.steps), `next ${readable(step.term)}`];
    }
  });
}

/** The same query with short names, and without what makes a value a key. */
function readable(query: string): string {
  return query
    .replaceAll(/"trailhound:reference:(\d+)"/g, 'r$1')
    .replaceAll(/"trailhound:level:(\d+)"/g, 'rows$1')
    .replaceAll('trailhound_', '')
    .replaceAll(/\s+/g, ' ')
    .replaceAll('( ', '(')
    .replaceAll(' )', ')');
}

function codeOf(text: string, functions = FUNCTIONS): string {
  const planned = plan(text, functions);
  return 'plan' in planned ? 'planned' : planned.error.code;
}

/** The key query of a join whose keys are `value`, as the planner writes it. */
function keys(value: string, from: string, where = ''): string {
  const source = `LATERAL (SELECT trailhound.key_inet(value.value) FROM LATERAL (SELECT ${value}) AS value(value)) AS l(ip)`;
  return `lookup SELECT DISTINCT l.ip AS key FROM ${from}${source}${where === '' ? '' : ` WHERE ${where}`}`;
}

describe('key queries', () => {
  test('have the filters of their level, and those on the key itself', () => {
    expect(
      stepsOf(
        `select from event e join lookup l on l.ip = e.ip where e.name = 'x' and l.ip <<= '10.0.0.0/8' and l.score > 5`,
      ),
    ).toEqual(['scan event', keys('e.ip', 'r0 AS e, ', `e.name = 'x' AND l.ip <<= '10.0.0.0/8'`)]);
  });

  test('name no table where the keys are named', () => {
    expect(stepsOf(`select from lookup l where l.ip = '10.0.0.1'`)).toEqual([keys(`'10.0.0.1'`, '')]);
  });

  test('leave out the conjuncts of tables that are not asked yet, which follow', () => {
    const [, first, second] = stepsOf(
      'select from event e join lookup l on l.ip = e.ip join lookup m on m.ip = l.ip where m.score > 1 and l.score > 2',
    );
    expect(first).toEqual(keys('e.ip', 'r0 AS e, '));
    expect(second).toContain('l.score > 2');
    expect(second).not.toContain('m.score');
  });

  test('come from the table first of which most is said, so that the next has fewer', () => {
    const [, first, second] = stepsOf(
      'select from event e join lookup l on l.ip = e.ip join lookup m on m.ip = e.ip and m.score > 1',
    );
    expect(first).toContain('AS m(ip)');
    expect(second).toContain('m.score > 1');
  });

  test('wait for what an outer level looks up', () => {
    const [, , first, second] = stepsOf(
      'select (select max(l.score) from event f join lookup l on l.ip = f.ip where f.ip = m.ip) from event e join lookup m on m.ip = e.ip',
    );
    expect(first).toContain('AS m(ip)');
    expect(second).toContain('f.ip = m.ip');
  });

  test('take an equality of the side that an outer join may leave out, and no other', () => {
    expect(stepsOf('select from event e left join lookup l on l.ip = e.ip')).toHaveLength(2);
    expect(codeOf('select from lookup l left join event e on l.ip = e.ip')).toBe('unbounded_key');
    expect(codeOf('select from lookup l full join event e on l.ip = e.ip')).toBe('unbounded_key');
  });

  test('take an outer join for an inner one where a strict condition makes it one', () => {
    expect(stepsOf(`select from lookup l left join event e on l.ip = e.ip where e.name = 'x'`)).toEqual([
      'scan event',
      keys('e.ip', 'r1 AS e, ', `e.name = 'x'`),
    ]);
    expect(codeOf(`select from lookup l left join event e on l.ip = e.ip where e.name is null`)).toBe('unbounded_key');
    expect(codeOf(`select from lookup l left join event e on l.ip = e.ip where coalesce(e.name, 'x') = 'x'`)).toBe(
      'unbounded_key',
    );
  });

  test('have no conditions of rows that an outer join may have made NULL together with the key', () => {
    const [, lookup] = stepsOf(
      'select from known k left join (event e join lookup l on l.ip = e.ip) on e.ip = k.ip where e.name is null',
    );
    expect(lookup).toContain('e.ip = k.ip');
    expect(lookup).not.toContain('IS NULL');
  });

  test('drop conjuncts that call a volatile function', () => {
    const [, lookup] = stepsOf(
      'select from event e join lookup l on l.ip = e.ip where random() < 0.5 and e.id > e.name',
    );
    expect(lookup).toContain('e.id > e.name');
    expect(lookup).not.toContain('random');
  });

  test('are one for each branch of OR', () => {
    expect(stepsOf(`select from lookup l where l.ip = '10.0.0.1' or (l.ip = '10.0.0.2' and l.score = 1)`)[0]).toMatch(
      /UNION ALL/,
    );
    expect(codeOf(`select from lookup l where l.ip = '10.0.0.1' or l.score = 1`)).toBe('unbounded_key');
  });

  test('carry what an outer level says into a derived table, unless its rows depend on one another', () => {
    expect(codeOf(`select from (select ip, max(score) from lookup group by ip) l where l.ip = '10.0.0.1'`)).toBe(
      'planned',
    );
    expect(codeOf(`select from (select ip from lookup order by ip limit 1) l where l.ip = '10.0.0.1'`)).toBe(
      'unbounded_key',
    );
    expect(codeOf(`select from (select max(ip) ip from lookup) l where l.ip = '10.0.0.1'`)).toBe('unbounded_key');
    expect(codeOf(`select from (select ip, count(*) over () from lookup) l where l.ip = '10.0.0.1'`)).toBe(
      'unbounded_key',
    );
  });

  test('put the levels around them on the outside', () => {
    const [, lookup] = stepsOf(
      `select from event e where e.name = 'x' and exists (select from lookup l where l.ip = e.ip and l.score > 1)`,
    );
    expect(lookup).toMatch(/^lookup SELECT DISTINCT key\.key AS key FROM r0 AS e, LATERAL \(SELECT DISTINCT l\.ip/);
    expect(lookup).toContain(`WHERE e.name = 'x'`);
  });

  test('qualify what USING has merged', () => {
    expect(stepsOf(`select from known k join lookup l using (ip) where ip <<= '10.0.0.0/8'`)[0]).toContain(
      `WHERE k.ip <<= '10.0.0.0/8'`,
    );
  });

  test('bring the CTEs that they name', () => {
    const [, lookup] = stepsOf(
      'with k as (select ip from event), j as (select * from k) select from j join lookup l on l.ip = j.ip',
    );
    expect(lookup).toMatch(/^lookup WITH k AS \(SELECT event\.ip FROM r0 AS event\), j AS \(SELECT \* FROM k\) SELECT/);
  });

  test("depend on an equality that is PostgreSQL's own", () => {
    const theirs = { ...FUNCTIONS, ownEquality: false };
    expect(codeOf(`select from lookup where ip = '10.0.0.1'`, theirs)).toBe('unbounded_key');
    expect(codeOf(`select from lookup where ip in ('10.0.0.1')`, theirs)).toBe('unbounded_key');
    expect(codeOf(`select from lookup where ip operator(pg_catalog.=) '10.0.0.1'`, theirs)).toBe('planned');
  });
});

describe('levels whose rows are no function of their inputs', () => {
  test('are evaluated once, and keys are read from their rows', () => {
    expect(stepsOf('select from (select ip from event order by id limit 3) t join lookup l on l.ip = t.ip')).toEqual([
      'scan event',
      'evaluate SELECT event.ip FROM r0 AS event ORDER BY id LIMIT 3',
      keys('t.ip', '(SELECT * FROM rows0) AS t, '),
    ]);
  });

  test('are what an aggregate makes of rows in no order, or in one that leaves ties', () => {
    const steps = (value: string): string[] =>
      stepsOf(`select from (select ${value} ip from event) e join lookup l on l.ip = e.ip`).map((step) =>
        step.slice(0, step.indexOf(' ')),
      );
    const [once, repeated] = [
      ['scan', 'evaluate', 'lookup'],
      ['scan', 'lookup'],
    ];
    expect(steps('(array_agg(ip))[1]')).toEqual(once);
    expect(steps('(array_agg(ip order by name))[1]')).toEqual(once);
    expect(steps('(array(select k.ip from known k))[1]')).toEqual(once);
    expect(steps('(array_agg(ip order by name, ip))[1]')).toEqual(repeated);
    expect(steps('(array_agg(distinct ip))[1]')).toEqual(repeated);
    expect(steps('max(ip)')).toEqual(repeated);
  });

  test('are evaluated before what reads them', () => {
    const steps = stepsOf(
      'with j as (select ip from event limit 1), k as (select * from j) select from k join lookup l on l.ip = k.ip',
    );
    expect(steps[1]).toBe('evaluate SELECT event.ip FROM r0 AS event LIMIT 1');
    expect(steps[2]).toContain('j AS (SELECT * FROM rows0), k AS (SELECT * FROM j)');
    expect(steps).toHaveLength(3);
  });

  test('give more keys than needed where LATERAL computes them for each row', () => {
    const [, lookup] = stepsOf(
      'select from event e, lateral (select k.ip from known k where k.ip = e.ip order by k.note limit 1) t join lookup l on l.ip = t.ip',
    );
    expect(lookup).toContain('k.ip = e.ip');
    expect(lookup).not.toContain('LIMIT');
  });
});

describe('a recursive CTE', () => {
  test('is driven where its recursive term looks up what a level names', () => {
    const steps = stepsOf(
      `with recursive r(ip) as (
         select ip from event where name = 'x' union select l.ip from r join lookup l on l.ip = r.ip where l.score > 1)
       select from r`,
    );
    expect(steps).toEqual([
      'scan event',
      `recurse SELECT DISTINCT * FROM (SELECT event.ip FROM r0 AS event WHERE event.name = 'x') AS base`,
      keys('r.ip', 'rows0 AS r, '),
      'next (SELECT * FROM rows0 WHERE false UNION ALL SELECT l.ip FROM rows0 AS r JOIN r1 AS l ON l.ip = r.ip WHERE l.score > 1) EXCEPT SELECT * FROM rows1',
    ]);
  });

  test("is PostgreSQL's own where the keys are the same at each level", () => {
    const steps = stepsOf(
      `with recursive r(n) as (
         select 1 union all select n + 1 from r where exists (select from lookup l where l.ip = '10.0.0.1' and l.score > n))
       select from r`,
    );
    expect(steps).toHaveLength(1);
    expect(steps[0]).toMatch(/^lookup/);
  });

  test('gives its rows before what reads them is looked up', () => {
    const steps = stepsOf(
      `with recursive r(ip) as (select ip from known union select l.ip from r join lookup l on l.ip = r.ip)
       select from r join lookup m on m.ip = r.ip`,
    );
    expect(steps.at(-1)).toMatch(
      /^lookup WITH RECURSIVE r\(ip\) AS \(SELECT \* FROM rows1\) SELECT DISTINCT m\.ip AS key FROM r, /,
    );
  });
});

describe('what depends on no row', () => {
  test('is not asked below LIMIT 0', () => {
    const planned = plan('select from event e join lookup l on l.ip = e.ip limit 0');
    expect('plan' in planned && [planned.plan.steps, planned.plan.dead.size]).toEqual([[], 2]);
  });
});
