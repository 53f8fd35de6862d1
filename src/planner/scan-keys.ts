import type { ColumnRef, Node, SelectStmt } from '@pgsql/types';
import type { Column } from '../catalog/table.ts';
import { deparse } from '../sql/deparse.ts';
import type { Item } from '../sql/scope.ts';
import { bare, walk } from '../sql/walk.ts';
import { alternativesFor, type Alternative, type Binding } from './bindings.ts';
import { ofOtherName } from './input-keys.ts';
import { contains } from './predicates.ts';
import { keyQuery, SCAN_ADDRESS, SCAN_KEY } from './key-query.ts';
import { isExpressionOnly } from './key-source.ts';
import { castsToOwnType, isColumnOfType } from './output-types.ts';
import type { Site } from './sites.ts';
import { describeSource } from './source-text.ts';
import type { LockedRelation } from './locked-relations.ts';
import type { Reference, Statement } from './statement.ts';

/** Values that the rest of the statement gives for a column of a scan: rows with others do not count. */
export interface ScanKeys {
  readonly column: Column;
  /** The column that reads this one as an address: it is compared where the values are addresses. */
  readonly asInet: Column | undefined;
  /** Statements of one column each, of what `ScanKey` says; together they give the values. */
  readonly queries: readonly string[];
  readonly from: string;
  /** What they read: those must have been fetched. */
  readonly reads: ReadonlySet<Reference>;
  /** Rows of ordinary relations decide the values: the statement must see the same ones. */
  readonly ordinary: boolean;
  /** Those of them that the statement changes or locks. */
  readonly locked: readonly LockedRelation[];
}

/** The ways to bound a column, found once: they are asked for again with each scan that is added. */
export class ScanKeySearch {
  readonly statement: Statement;
  readonly #found = new Map<Item, Map<string, readonly Alternative[]>>();

  constructor(statement: Statement) {
    this.statement = statement;
  }

  /** By text, so that no equality of host(address) counts: it holds for networks too. */
  alternativesFor(site: Site): readonly Alternative[] {
    const ofItem = this.#found.get(site.item) ?? new Map<string, readonly Alternative[]>();
    const known =
      ofItem.get(site.column) ??
      alternativesFor(site, 'text', this.statement).filter((alternative) =>
        // An empty subquery would not be the same answer.
        alternative.every(
          ({ padded, sources }) =>
            padded === undefined && sources.every(({ query }) => cannotFail(query, this.statement)),
        ),
      );
    this.#found.set(site.item, ofItem.set(site.column, known));
    return known;
  }
}

/** Which columns of a large scan some equality of the statement bounds by more than constants. */
export function mayHaveKeys(reference: Reference, search: ScanKeySearch): boolean {
  return sitesOf(reference, search.statement).some(({ site }) => alternativesOf(site, search, []).length > 0);
}

/** The values of a scan's columns as far as they can be computed now, where computing them cannot fail. */
export function scanKeysOf(
  reference: Reference,
  search: ScanKeySearch,
  readable: (item: Item) => boolean,
): readonly ScanKeys[] {
  const { statement } = search;
  return sitesOf(reference, statement).flatMap(({ column, site }) => {
    const found = firstComputable(site, search, readable, []);
    if (found === undefined) return [];
    const { alternative, queries } = found;
    return [
      {
        column,
        asInet: readAsInet(column, reference),
        queries: queries.map((query) => deparse({ SelectStmt: query })),
        from: alternative.flatMap(({ sources }) => sources.map(({ query }) => describeSource(query))).join(', '),
        reads: new Set(queries.flatMap((query) => [...statement.referencesIn({ SelectStmt: query })])),
        ordinary: queries.some((query) => statement.readsOrdinaryRelations(query)),
        locked: statement.lockedIn(queries),
      },
    ];
  });
}

/** Optional keys under the names that the statement has for them. Their rows may hold NULL. */
function sitesOf(reference: Reference, statement: Statement): { readonly column: Column; readonly site: Site }[] {
  const { item, view } = reference;
  const { names } = statement.names.columnsOf(item);
  return view.columns.flatMap(({ column }, index) => {
    const name = names[index];
    if (column === undefined || name === undefined || column.key !== 'optional') return [];
    if (!['text', 'inet'].includes(column.type) || !column.operators.includes('=')) return [];
    return [{ column, site: { item, column: name, nullable: true } }];
  });
}

function alternativesOf(site: Site, search: ScanKeySearch, seen: readonly Site[]): readonly Alternative[] {
  return search.alternativesFor(site).filter((alternative) => seen.length > 0 || !alternative.every(isOfConstants));
}

interface Computable {
  readonly alternative: Alternative;
  readonly queries: readonly SelectStmt[];
}

function firstComputable(
  site: Site,
  search: ScanKeySearch,
  readable: (item: Item) => boolean,
  seen: readonly Site[],
): Computable | undefined {
  const { statement } = search;
  const alternatives = alternativesOf(site, search, seen);
  const others = seen.length === 0 ? [] : [...seen.slice(1), site];
  const isAddress = others.some(({ item, column }) => isColumnOfType(item, column, 'inet', statement));
  for (const alternative of alternatives) {
    const queries = alternative.map((binding) =>
      keyQuery(ofOtherName(binding), isAddress ? SCAN_ADDRESS : SCAN_KEY, { statement, readable, haste: 'none' }),
    );
    if (queries.every((query) => query !== undefined && !mayNotEnd(query)))
      return { alternative, queries: queries.flatMap((query) => query ?? []) };
  }
  // What equals a column equals all that the column equals, compared as the column is.
  for (const [binding, ...more] of alternatives) {
    const other = more.length === 0 && binding !== undefined ? columnOfSource(binding, statement) : undefined;
    if (other === undefined || [...seen, site].some((each) => isSame(each, other))) continue;
    const found = firstComputable(other, search, readable, [...seen, site]);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A recursion that the statement's LIMIT would end goes on in a query without it. */
function mayNotEnd(value: unknown): boolean {
  if (value === null || typeof value !== 'object') return false;
  return ('recursive' in value && value.recursive === true) || Object.values(value).some(mayNotEnd);
}

/** `on e.source_ip = a.ip_address`: the column on the other side. */
function columnOfSource({ site, sources }: Binding, statement: Statement): Site | undefined {
  const [source, ...others] = sources;
  if (source === undefined || others.length > 0 || !isExpressionOnly(source.query)) return undefined;
  const column = bare(bare(source.query.targetList?.[0], 'ResTarget')?.val, 'ColumnRef');
  const meaning = column === undefined ? undefined : meaningOf(column, statement);
  if (meaning?.item.level !== site.item.level) return undefined;
  if (!['text', 'inet'].some((type) => isColumnOfType(meaning.item, meaning.name, type, statement))) return undefined;
  return { item: meaning.item, column: meaning.name, nullable: true };
}

function meaningOf(column: ColumnRef, statement: Statement): { item: Item; name: string } | undefined {
  const meaning = statement.scopes.levelOf.has(column) ? statement.names.resolve(column) : undefined;
  return meaning?.kind === 'column' ? meaning : undefined;
}

function isSame(a: Site, b: Site): boolean {
  return a.item === b.item && a.column === b.column;
}

/** A conjunct of constants alone has been pushed as the predicate that it is, unless it is an OR. */
function isOfConstants({ condition, sources }: Binding): boolean {
  if (condition === undefined || 'BoolExpr' in condition) return false;
  return sources.every(({ query }) => isExpressionOnly(query) && !contains({ SelectStmt: query }, 'ColumnRef'));
}

/** Expressions that give a value for whatever they are given: the statement may compute them for fewer rows. */
const TOTAL_NODES: ReadonlySet<string> = new Set([
  ...['ColumnRef', 'String', 'A_Star', 'A_Const', 'ParamRef', 'TypeCast', 'TypeName', 'FuncCall', 'ResTarget'],
  ...['CoalesceExpr', 'CaseExpr', 'CaseWhen', 'NullTest', 'A_ArrayExpr', 'Integer', 'A_Expr', 'BoolExpr'],
]);
const TOTAL_FUNCTIONS: ReadonlySet<string> = new Set([
  ...['try_inet', 'host', 'abbrev', 'lower', 'upper', 'btrim', 'ltrim', 'rtrim', 'unnest', 'concat'],
]);
const TOTAL_OPERATORS: ReadonlySet<string> = new Set(['||', '->', '->>', '#>', '#>>', '=', '<>']);
const TOTAL_CASTS: ReadonlySet<string> = new Set(['text', 'varchar']);

function cannotFail(source: SelectStmt, statement: Statement): boolean {
  if (source.larg !== undefined && source.rarg !== undefined)
    return cannotFail(source.larg, statement) && cannotFail(source.rarg, statement);
  let total = source.valuesLists === undefined || !contains({ List: { items: source.valuesLists } }, 'SubLink');
  walk([source.targetList, source.valuesLists], (node, kind) => {
    const last = (names: Node[] | undefined): string => bare(names?.at(-1), 'String')?.sval ?? '';
    const cast = bare(node, 'TypeCast');
    const known = kind === 'List' || TOTAL_NODES.has(kind);
    const fails =
      (cast !== undefined &&
        !('A_Const' in (cast.arg ?? {})) &&
        !TOTAL_CASTS.has(last(cast.typeName?.names)) &&
        !castsToOwnType(cast, statement)) ||
      (kind === 'FuncCall' && !TOTAL_FUNCTIONS.has(last(bare(node, 'FuncCall')?.funcname))) ||
      (kind === 'A_Expr' && !TOTAL_OPERATORS.has(last(bare(node, 'A_Expr')?.name)));
    if (!known || fails) total = false;
    return total;
  });
  return total;
}

/** `source_ip`, which is try_inet(source_ip_address), for the latter. */
function readAsInet(column: Column, { view }: Reference): Column | undefined {
  if (column.type !== 'text') return undefined;
  const wanted = [`pg_catalog.try_inet(${column.name})`, `try_inet(${column.name})`];
  return view.table.columns.find(
    ({ expression, operators }) => expression !== undefined && wanted.includes(expression) && operators.includes('='),
  );
}
