import type { ColumnRef, Node, RangeVar, SelectStmt } from '@pgsql/types';
import { modificationOf, type Modification } from './modification.ts';
import type { ChangedClause, Clause, Cte, Item, Level, Place, Scopes } from './scope.ts';
import { bare, walk } from './walk.ts';

interface Building {
  levels: Level[];
  items: Item[];
  targets: Set<RangeVar>;
  levelOf: Map<ColumnRef, Level>;
  clauseOf: Map<ColumnRef, Clause>;
}

type Visible = ReadonlyMap<string, Cte>;
type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

/** The levels of a SELECT, INSERT, UPDATE, DELETE or MERGE and what each of them can name. Never changes the tree. */
export function scopesOf(statement: Node): Scopes {
  const building: Building = {
    levels: [],
    items: [],
    targets: new Set(),
    levelOf: new Map(),
    clauseOf: new Map(),
  };
  const query = bare(statement, 'SelectStmt');
  const modification = modificationOf(statement);
  if (query !== undefined) {
    return { root: addLevel(query, undefined, { kind: 'statement' }, new Map(), building), ...building };
  }
  if (modification === undefined) throw new Error('a statement that reads no rows');
  return { root: addModification(modification, new Map(), building), ...building };
}

function addModification(modification: Modification, outer: Visible, building: Building): Level {
  const { target, select, source, changed } = modification;
  building.targets.add(target);
  const level = addLevel(select, undefined, { kind: 'statement' }, outer, building);
  const visible = new Map([...outer, ...level.ctes.map((cte) => [cte.name, cte] as const)]);
  if (source !== undefined) addLevel(source, undefined, { kind: 'statement' }, visible, building);
  const instead = level.items.find((item) => item.rangeVar === target);
  const row = (name: string | undefined): Item => {
    const node = { RangeVar: target };
    const item: Item = {
      level,
      node,
      kind: 'changed',
      name,
      rangeVar: target,
      cte: undefined,
      subquery: undefined,
    };
    building.items.push(item);
    return item;
  };
  for (const part of changed) {
    const clause: ChangedClause = {
      kind: 'changed',
      target: part.target ? row(target.alias?.aliasname ?? target.relname) : undefined,
      instead: part.target ? instead : undefined,
      others: part.names.map(row),
    };
    addExpressions(part.nodes, clause, level, visible, building);
  }
  return level;
}

function addLevel(
  select: SelectStmt,
  parent: Level | undefined,
  place: Place,
  outer: Visible,
  building: Building,
): Level {
  const level: Mutable<Level> = { select, parent, place, items: [], branches: [], ctes: [] };
  building.levels.push(level);
  const visible = addCtes(level, outer, building);
  if (select.op !== undefined && select.op !== 'SETOP_NONE') {
    for (const branch of [select.larg, select.rarg]) {
      if (branch !== undefined) level.branches.push(addLevel(branch, level, { kind: 'branch' }, visible, building));
    }
    addExpressions(
      [select.sortClause, select.limitCount, select.limitOffset],
      { kind: 'other' },
      level,
      visible,
      building,
    );
    return level;
  }
  for (const node of select.fromClause ?? []) addFrom(node, level, visible, building);
  addExpressions(select.whereClause, { kind: 'where' }, level, visible, building);
  const {
    targetList,
    groupClause,
    havingClause,
    windowClause,
    sortClause,
    limitCount,
    limitOffset,
    distinctClause,
    valuesLists,
  } = select;
  addExpressions(
    [
      targetList,
      groupClause,
      havingClause,
      windowClause,
      sortClause,
      limitCount,
      limitOffset,
      distinctClause,
      valuesLists,
    ],
    { kind: 'other' },
    level,
    visible,
    building,
  );
  return level;
}

function addCtes(level: Mutable<Level>, outer: Visible, building: Building): Visible {
  const clause = level.select.withClause;
  if (clause === undefined) return outer;
  const recursive = clause.recursive ?? false;
  const visible = new Map(outer);
  const ctes = (clause.ctes ?? []).flatMap((node) => bare(node, 'CommonTableExpr') ?? []);
  const made = ctes.map((node): Mutable<Cte> => ({
    name: node.ctename ?? '',
    node,
    level: undefined,
    recursive,
    references: [],
  }));
  // WITH RECURSIVE lets each CTE name itself and the others; without it a CTE sees those before it.
  if (recursive) for (const cte of made) visible.set(cte.name, cte);
  for (const cte of made) {
    const query = bare(cte.node.ctequery, 'SelectStmt');
    const modification = cte.node.ctequery === undefined ? undefined : modificationOf(cte.node.ctequery);
    if (query !== undefined) cte.level = addLevel(query, level, { kind: 'cte', cte }, visible, building);
    if (modification !== undefined) addModification(modification, visible, building);
    visible.set(cte.name, cte);
    level.ctes.push(cte);
  }
  return visible;
}

function addFrom(node: Node, level: Mutable<Level>, visible: Visible, building: Building): void {
  const join = bare(node, 'JoinExpr');
  if (join !== undefined) {
    if (join.larg !== undefined) addFrom(join.larg, level, visible, building);
    if (join.rarg !== undefined) addFrom(join.rarg, level, visible, building);
    addExpressions(join.quals, { kind: 'on', join }, level, visible, building);
    return;
  }
  const item: Mutable<Item> = {
    level,
    node,
    kind: 'other',
    name: undefined,
    rangeVar: undefined,
    cte: undefined,
    subquery: undefined,
  };
  level.items.push(item);
  building.items.push(item);
  const rangeVar = bare(node, 'RangeVar');
  const subselect = bare(node, 'RangeSubselect');
  if (rangeVar !== undefined) {
    // No CTE can be changed.
    const mayBeCte = rangeVar.schemaname === undefined && !building.targets.has(rangeVar);
    const cte = mayBeCte ? visible.get(rangeVar.relname ?? '') : undefined;
    item.rangeVar = rangeVar;
    item.name = rangeVar.alias?.aliasname ?? rangeVar.relname;
    item.kind = cte === undefined ? 'relation' : 'cte';
    item.cte = cte;
    (cte as Mutable<Cte> | undefined)?.references.push(item);
  } else if (subselect !== undefined) {
    item.kind = 'subquery';
    item.name = subselect.alias?.aliasname;
    const query = bare(subselect.subquery, 'SelectStmt');
    if (query !== undefined) {
      const lateral = subselect.lateral ?? false;
      item.subquery = addLevel(query, level, { kind: 'from', item, lateral }, visible, building);
    }
  } else {
    item.name = aliasOf(node);
    addExpressions(node, { kind: 'from', item }, level, visible, building);
  }
}

function aliasOf(node: Node): string | undefined {
  const functions = bare(node, 'RangeFunction');
  if (functions !== undefined) {
    if (functions.alias !== undefined) return functions.alias.aliasname;
    const first = bare(functions.functions?.[0], 'List')?.items?.[0];
    return bare(bare(first, 'FuncCall')?.funcname?.at(-1), 'String')?.sval;
  }
  return (bare(node, 'RangeTableFunc') ?? bare(node, 'JsonTable'))?.alias?.aliasname;
}

/** Columns named in an expression, and the levels of its subqueries. */
function addExpressions(value: unknown, clause: Clause, level: Level, visible: Visible, building: Building): void {
  walk(value, (node, kind) => {
    if (kind === 'ColumnRef') {
      const column = bare(node, 'ColumnRef');
      if (column === undefined) return undefined;
      building.levelOf.set(column, level);
      building.clauseOf.set(column, clause);
    } else if (kind === 'SubLink') {
      const sublink = bare(node, 'SubLink');
      const query = bare(sublink?.subselect, 'SelectStmt');
      if (sublink === undefined || query === undefined) return undefined;
      addExpressions(sublink.testexpr, clause, level, visible, building);
      addLevel(query, level, { kind: 'sublink', node: sublink, clause }, visible, building);
      return false;
    }
    return undefined;
  });
}
