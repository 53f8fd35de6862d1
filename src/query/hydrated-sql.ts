import type { Column, VirtualTable, VirtualView } from '../catalog/table.ts';
import type { HydratedRows } from '../hydrate/hydrator.ts';
import type { Reference } from '../planner/statement.ts';
import type { Aggregation } from '../sources/source.ts';
import { parseKept } from '../sql/parse.ts';
import { quoteIdent, replaceBytes, Slices } from '../sql/substitute.ts';
import { bare, walk } from '../sql/walk.ts';
import { columnsOfGroups, rowsOfGroups } from './group-rows.ts';
import type { ParameterList } from './parameters.ts';

/**
 * The SELECT that stands for a reference: every column of the view in catalog order, name and type; what was not
 * fetched is NULL. (Leaving columns out would change a NATURAL JOIN's rows and rebind correlated names.)
 *
 * @param guard a condition on which the rows depend, or undefined
 * @param aggregation what the rows are groups of, in the place of the reference's own
 */
export function referenceSql(
  view: VirtualView,
  rows: HydratedRows | 'empty',
  parameters: ParameterList,
  guard?: (parameters: ParameterList) => string,
  aggregation?: Aggregation,
): string {
  const { table } = view;
  const stored = storedSql(rows, parameters);
  const hasGroups = aggregation !== undefined && rows !== 'empty';
  const fetched = hasGroups ? columnsOfGroups(aggregation) : fetchedBy(rows);
  const needed = neededBy(table);
  const columns = table.columns.map((column) => {
    const name = quoteIdent(column.name);
    if (fetched.has(column.name)) return `_.${name}`;
    const computable =
      column.expression !== undefined && (needed.get(column.name) ?? []).every((own) => fetched.has(own));
    return `${computable ? (column.expression ?? '') : 'null'}::${column.type} as ${name}`;
  });
  const condition = guard === undefined ? '' : ` where ${guard(parameters)}`;
  const own = `(select ${columns.join(', ')} from (${hasGroups ? rowsOfGroups(stored, aggregation) : stored}) as _${condition})`;
  if (isWholeTable(view)) return own;
  const definition = parseKept(view.definition);
  let text = view.definition;
  walk(definition, (node, kind) => {
    const rangeVar = kind === 'RangeVar' ? bare(node, 'RangeVar') : undefined;
    if (rangeVar === undefined) return undefined;
    const parts = rangeVar.schemaname === undefined ? 1 : 2;
    const alias = rangeVar.alias === undefined ? quoteIdent(rangeVar.relname ?? '') : undefined;
    text = replaceBytes(text, [new Slices(text).reference(rangeVar.location ?? 0, parts, own, alias)]);
    return undefined;
  });
  return `(${withoutSemicolon(text)})`;
}

const wholeTables = new WeakMap<VirtualView, boolean>();

/** Its columns are its table's, under the same names: one level less for PostgreSQL to read and take apart each time. */
function isWholeTable(view: VirtualView): boolean {
  let known = wholeTables.get(view);
  if (known === undefined) {
    const { table, columns } = view;
    const { targetList = [], whereClause } = bare(parseKept(view.definition), 'SelectStmt') ?? {};
    known =
      whereClause === undefined &&
      targetList.length === table.columns.length &&
      table.columns.every(({ name }, index) => {
        const column = bare(bare(targetList[index], 'ResTarget')?.val, 'ColumnRef');
        return columns[index]?.name === name && bare(column?.fields?.at(-1), 'String')?.sval === name;
      });
    wholeTables.set(view, known);
  }
  return known;
}

function fetchedBy(rows: HydratedRows | 'empty'): ReadonlySet<string> {
  return new Set(rows === 'empty' ? [] : rows.columns.map(({ name }) => name));
}

/** A SELECT of stored rows with their types. */
export function storedSql(rows: HydratedRows | 'empty', parameters: ParameterList): string {
  if (rows === 'empty') return 'select where false';
  const names = rows.columns.map((column) => quoteIdent(column.name));
  if (rows.kind === 'relation') return `select ${names.join(', ')} from ${rows.name}`;
  if (rows.kind === 'parts') {
    const time = `_.${quoteIdent(rows.time)}`;
    const parts = rows.parts.map(({ rows: own, from, before }) => {
      const conditions = [
        ...(Number.isFinite(from) ? [`${time} operator(pg_catalog.>=) ${instant(from)}`] : []),
        ...(Number.isFinite(before) ? [`${time} operator(pg_catalog.<) ${instant(before)}`] : []),
      ];
      const condition = conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`;
      return `select ${names.map((name) => `_.${name}`).join(', ')} from (${storedSql(own, parameters)}) as _${condition}`;
    });
    return parts.join(' union all ');
  }
  if (names.length === 0) return `select from pg_catalog.generate_series(1, ${String(rows.rows.length)})`;
  const arrays = rows.columns.map((_column, index) =>
    parameters.addTextArray(rows.rows.map((row) => row[index] ?? null)),
  );
  const typed = rows.columns.map((column, index) => `_.${names[index] ?? ''}::${column.type} as ${names[index] ?? ''}`);
  // unnest(a, b) is syntax that no schema can qualify; ROWS FROM says the same.
  const columns = arrays.map((array) => `pg_catalog.unnest(${array}::pg_catalog.text[])`);
  return `select ${typed.join(', ')} from rows from (${columns.join(', ')}) as _(${names.join(', ')})`;
}

function instant(milliseconds: number): string {
  return `timestamptz '${new Date(milliseconds).toISOString()}'`;
}

/** The columns with a path that must be fetched so that a reference's needed columns can be computed. */
export function columnsToFetch(reference: Reference): readonly Column[] {
  const { table } = reference.view;
  const needed = neededBy(table);
  const names = new Set<string>();
  for (const name of tableColumnsOf(reference.view, reference.needed)) {
    names.add(name);
    for (const own of needed.get(name) ?? []) names.add(own);
  }
  return table.columns.filter((column) => names.has(column.name) && column.path !== undefined);
}

/** Which of the table's columns the view's columns are made of. */
function tableColumnsOf(view: VirtualView, names: ReadonlySet<string>): string[] {
  const targets = bare(parseKept(view.definition), 'SelectStmt')?.targetList ?? [];
  return view.columns.flatMap((column, index) => (names.has(column.name) ? columnNamesIn(targets[index]) : []));
}

const computed = new WeakMap<VirtualTable, ReadonlyMap<string, readonly string[]>>();

/** For each computed column, the columns that its expression reads, transitively. */
function neededBy(table: VirtualTable): ReadonlyMap<string, readonly string[]> {
  let needed = computed.get(table);
  if (needed === undefined) {
    const direct = new Map(
      table.columns.flatMap((column) =>
        column.expression === undefined
          ? []
          : [[column.name, columnNamesIn(parseKept(`select ${column.expression}`))] as const],
      ),
    );
    const all = (name: string, seen: readonly string[]): string[] =>
      (direct.get(name) ?? []).flatMap((own) => (seen.includes(own) ? [] : [own, ...all(own, [...seen, own])]));
    needed = new Map([...direct.keys()].map((name) => [name, [...new Set(all(name, [name]))]]));
    computed.set(table, needed);
  }
  return needed;
}

function columnNamesIn(value: unknown): string[] {
  const names: string[] = [];
  walk(value, (node, kind) => {
    const column = kind === 'ColumnRef' ? bare(node, 'ColumnRef') : undefined;
    const name = bare(column?.fields?.at(-1), 'String')?.sval;
    if (name !== undefined) names.push(name);
    return undefined;
  });
  return names;
}

function withoutSemicolon(text: string): string {
  const end = text.trimEnd();
  return end.endsWith(';') ? end.slice(0, -1) : end;
}
