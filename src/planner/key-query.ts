import type { Node, SelectStmt } from '@pgsql/types';
import type { Item, Level } from '../sql/scope.ts';
import { bare } from '../sql/walk.ts';
import type { Binding } from './bindings.ts';
import { aggregatesOf, dependenciesOf, functionNames } from './dependencies.ts';
import { frameAt, frameOf, namesOutside, type Frame, type Reading, type Standpoint } from './frames.ts';
import { grouped } from './grouping.ts';
import { isExpressionOnly, type KeySource } from './key-source.ts';
import { and, call, castTo, columnOf, selectOf } from './nodes.ts';
import { isUsable } from './pruning.ts';
import type { Reference, Statement } from './statement.ts';
import { overTopRows } from './top-rows.ts';
import { widened } from './widening.ts';

/** In place of a type: keys that become a scan's predicate, each a JSON array as `ScanKey` says. */
export const SCAN_KEY = 'scan key';
/** The same of values that are compared as addresses, whatever they are. */
export const SCAN_ADDRESS = 'scan address';

/**
 * A value that a scan's column must equal: as text, as an address (NULL for a network), whether it is either of both, its
 * type, and its collation. Whether a source understands it as the statement does is decided when all of that is known.
 */
export type ScanKey = readonly [
  text: string | null,
  address: string | null,
  isInet: boolean,
  type: string,
  collation: string | null,
];

function asScanKey(value: Node): Node {
  const text = castTo(value, 'text');
  const isInet: Node = {
    NullTest: { arg: call('try_inet', [text]), nulltesttype: 'IS_NOT_NULL' },
  };
  const address = call('host', [call('key_inet', [text], 'trailhound')]);
  const parts = [text, address, isInet, castTo(call('pg_typeof', [value]), 'text'), call('pg_collation_for', [text])];
  return castTo(call('json_build_array', parts), 'text');
}

/** In the place of a key's type: values that are no keys themselves, as text. */
export const PLAIN_TEXT = 'text that is no key';

/** Types of required keys. */
const KEYS: ReadonlySet<string> = new Set(['inet', 'cidr', 'text', 'bigint']);

/** How a value becomes a key of a type: `trailhound.key_inet()` and its like give NULL for what no row can equal. */
export function asKey(value: Node, keyType: string): Node {
  if (keyType === SCAN_KEY) return asScanKey(value);
  if (keyType === SCAN_ADDRESS) return asScanKey(call('try_inet', [castTo(value, 'text')]));
  if (KEYS.has(keyType)) return call(`key_${keyType}`, [value], 'trailhound');
  return castTo(value, keyType === PLAIN_TEXT ? 'text' : keyType);
}

/** Plain DISTINCT is a list of one empty node in PostgreSQL's tree. */
const DISTINCT = [{} as Node];
const KEY = 'trailhound_key';
const VALUE = 'trailhound_value';

/**
 * The query that gives the keys of a binding: `select distinct key from <the rest of the level, with its filters>`.
 * It may be wider than the statement, never narrower.
 *
 * @returns undefined where the binding needs something that cannot be read yet
 */
export function keyQuery(binding: Binding, keyType: string, reading: Reading): SelectStmt | undefined {
  const { site, sources, condition, standpoint } = binding;
  const { statement } = reading;
  const { level } = site.item;
  const inItem = standpoint.kind === 'item';
  const frame = frameOf(level, standpoint, reading);
  const alias = inItem ? { name: site.item.name ?? KEY, column: site.column } : { name: KEY, column: KEY };
  const values = sources.map((source) => keysOf(source, keyType, frame, reading));
  if (!values.every((value) => value !== undefined)) return undefined;
  const withKey = { ...frame, items: new Set([...frame.items, site.item]) };
  // Conditions on the key alone hold for the keys as well: the key stands under the item's own name.
  const conditions = frame.conditions.filter((entry) => {
    const own = dependenciesOf(entry.node, level, statement).columns.get(site.item);
    const forKey = own === undefined || (entry.seesItem && [...own].every((name) => name === site.column));
    // An equality that gave the keys says nothing more of them; a subquery has other conditions beside it.
    const isSaid = entry.node === condition && 'A_Expr' in entry.node;
    return forKey && !isSaid && isUsable(entry.node, withKey, statement);
  });
  const keys = lateral(unionAll(values, keyType), alias.name, alias.column);
  return enclosed(columnOf(alias.name, alias.column), keys, frame, nodesOf(conditions), reading);
}

/** Whether a key query would have more conditions once other tables have been asked: its keys may be fewer then. */
export function mayBeFewer({ site, sources, standpoint }: Binding, reading: Reading): boolean {
  const { statement, readable } = reading;
  const frame = frameOf(site.item.level, standpoint, reading);
  const below = sources
    .filter(({ level }) => level !== frame.level)
    .map(({ level }) => frameOf(level, IN_WHERE, reading, frame));
  const isOther = (item: Item): boolean => item !== site.item && !readable(item);
  return [frame, ...below].some((each) => {
    for (let at: Frame | undefined = each; at !== undefined; at = at.outer) {
      const { level } = at;
      const waits = [...nodesOf(at.conditions), ...at.dropped].some((node) => {
        const { items, references } = dependenciesOf(node, level, statement);
        return [...items].some(isOther) || [...references].some(({ item }) => isOther(item));
      });
      if (waits) return true;
    }
    return false;
  });
}

const IN_WHERE: Standpoint = { kind: 'expression', clause: { kind: 'where' } };

/** The keys of a source, or of what its values come from. */
function keysOf(source: KeySource, keyType: string, frame: Frame, reading: Reading): SelectStmt | undefined {
  const keys = ownKeysOf(source, keyType, frame, reading);
  if (keys !== undefined || reading.haste !== 'widened') return keys;
  const each = widened(source, reading.statement)?.map((inner) => keysOf(inner, keyType, frame, reading));
  return each?.every((query) => query !== undefined) === true ? unionAll(each, keyType) : undefined;
}

/** `select key_inet(v) from (<source>) as …`; undefined where it cannot be read yet. */
function ownKeysOf(source: KeySource, keyType: string, frame: Frame, reading: Reading): SelectStmt | undefined {
  const { statement } = reading;
  const own = source.level === frame.level ? frame : frameOf(source.level, IN_WHERE, reading, frame);
  const { query } = source;
  const isExpression = isExpressionOnly(query);
  // What stands for an expression is no level of its own: an aggregate in it would be one of another level.
  if (!isUsable(isExpression ? query.targetList : { SelectStmt: query }, own, statement)) return undefined;
  if (isExpression && countsRows(query, own.level, statement)) return undefined;
  const when = source.when.filter((node) => isUsable(node, own, statement));
  if (source.guarded && when.length < source.when.length && !isSimple(query)) return undefined;
  const from = lateral(isExpression && when.length > 0 ? whereTrue(query, when, statement) : query, VALUE, VALUE);
  const filters = isExpression ? [] : when;
  if (own === frame) {
    const key = asKey(columnOf(VALUE, VALUE), keyType);
    return { ...selectOf(key), fromClause: [from], ...where(filters) };
  }
  const conditions = own.conditions.filter(({ node }) => isUsable(node, own, statement));
  const values = enclosed(columnOf(VALUE, VALUE), from, own, [...nodesOf(conditions), ...filters], reading, frame);
  if (values === undefined || !isUsable({ SelectStmt: values }, frame, statement)) return undefined;
  return { ...selectOf(asKey(columnOf(VALUE, VALUE), keyType)), fromClause: [lateral(values, VALUE, VALUE)] };
}

/** count(*) has no columns that would tell its level. */
function countsRows({ targetList }: SelectStmt, level: Level, statement: Statement): boolean {
  const [inside, below] = [targetList, { SelectStmt: { targetList } }].map((value) =>
    aggregatesOf(value, level, statement),
  );
  return inside?.size !== below?.size;
}

/** A column, a parameter or a constant, whose text PostgreSQL reads as it parses the statement: it can be computed anywhere. */
function isSimple({ targetList }: SelectStmt): boolean {
  const value = bare(targetList?.[0], 'ResTarget')?.val;
  if (value === undefined) return false;
  return 'ColumnRef' in value || 'ParamRef' in value || 'A_Const' in value || isTypedText(value);
}

/** A domain of the user's would be another matter: PostgreSQL looks at its constraints as it computes CASE. */
const READ_AT_ONCE: ReadonlySet<string | undefined> = new Set(['inet', 'cidr', 'text', 'varchar']);

function isTypedText(value: Node): boolean {
  const { arg, typeName } = bare(value, 'TypeCast') ?? {};
  return bare(arg, 'A_Const')?.sval !== undefined && READ_AT_ONCE.has(bare(typeName?.names?.at(-1), 'String')?.sval);
}

/** `case when … then value end`: PostgreSQL computes the value nowhere else. Sets cannot stand in CASE: WHERE does it. */
function whereTrue(query: SelectStmt, when: readonly Node[], statement: Statement): SelectStmt {
  const { targetList } = query;
  // `unnest` is of our own writing too, and then not among the statement's functions.
  const isSet = functionNames(targetList).some(
    (name) => name === 'unnest' || statement.functions.setReturning.has(name),
  );
  if (isSet) return { ...query, ...where(when) };
  const result = bare(targetList?.[0], 'ResTarget')?.val;
  const branch = { CaseWhen: { expr: and(when), ...(result === undefined ? {} : { result }) } };
  return selectOf({ CaseExpr: { args: [branch] } });
}

function isScanKey(keyType: string): boolean {
  return keyType === SCAN_KEY || keyType === SCAN_ADDRESS;
}

function unionAll(queries: readonly SelectStmt[], keyType: string): SelectStmt {
  // Conditions on the key call functions of its type.
  const none = castTo({ A_Const: { isnull: true } }, isScanKey(keyType) || keyType === PLAIN_TEXT ? 'text' : keyType);
  const nothing = { ...selectOf(none), whereClause: { A_Const: { boolval: {} } } };
  return (
    queries.reduce<SelectStmt | undefined>(
      (larg, rarg) =>
        larg === undefined ? rarg : { op: 'SETOP_UNION', all: true, larg, rarg, limitOption: 'LIMIT_OPTION_DEFAULT' },
      undefined,
    ) ?? nothing
  );
}

function lateral(query: SelectStmt, name: string, column: string): Node {
  return {
    RangeSubselect: {
      lateral: true,
      subquery: { SelectStmt: query },
      alias: { aliasname: name, colnames: [{ String: { sval: column } }] },
    },
  };
}

/** `select distinct <value> from <a frame's entries>, <from>`, and around it the frames whose columns it names. */
function enclosed(
  value: Node,
  from: Node,
  frame: Frame,
  conditions: readonly Node[],
  reading: Reading,
  known?: Frame,
): SelectStmt | undefined {
  const { statement } = reading;
  const inner: SelectStmt = {
    distinctClause: DISTINCT,
    targetList: [{ ResTarget: { name: KEY, val: value } }],
    fromClause: [from],
    ...where(conditions),
    limitOption: 'LIMIT_OPTION_DEFAULT',
    op: 'SETOP_NONE',
  };
  const rows = overRows(inner, frame, statement);
  const query = rows && withCtes(rows, statement, reading.readable);
  const { outer } = frame;
  if (query === undefined || !namesOutside(query, frame.level, statement)) return query;
  if (outer === undefined || frameAt(known, outer.level) !== undefined) return outer && query;
  const usable = outer.conditions.filter(({ node }) => isUsable(node, outer, statement));
  return enclosed(columnOf(KEY, KEY), lateral(query, KEY, KEY), outer, nodesOf(usable), reading, known);
}

/** A query with the rows of a frame before its own FROM entries, or with its groups. */
function overRows(query: SelectStmt, frame: Frame, statement: Statement): SelectStmt | undefined {
  const { fromClause = [], whereClause: _conditions, ...rest } = query;
  // The conditions of the level have chosen its rows before they are grouped.
  const groups = frame.grouped ? grouped({ ...rest, fromClause }, frame, statement) : undefined;
  if (groups !== undefined) return { ...groups.query, fromClause: [groups.from, ...(groups.query.fromClause ?? [])] };
  if (dependenciesOf({ SelectStmt: query }, frame.level, statement).aggregates.has(frame.level)) return undefined;
  const first = frame.top && overTopRows(query, frame.top, frame.items, statement);
  if (first !== undefined) return first;
  return { ...query, fromClause: [...frame.nodes, ...fromClause] };
}

function nodesOf(conditions: readonly { readonly node: Node }[]): Node[] {
  return conditions.map(({ node }) => node);
}

function where(nodes: readonly Node[]): { whereClause?: Node } {
  return nodes.length === 0 ? {} : { whereClause: and(nodes) };
}

/** The query with the CTEs that it names. Undefined where they cannot be read, or would take the place of a relation. */
export function withCtes(
  query: SelectStmt,
  statement: Statement,
  readable: (item: Item) => boolean,
): SelectStmt | undefined {
  const ctes = [...statement.ctesIn({ SelectStmt: query })];
  if (ctes.length === 0) return query;
  const own = (query.withClause?.ctes ?? []).map((node) => bare(node, 'CommonTableExpr')?.ctename ?? '');
  const names = new Set([...ctes.map((cte) => cte.name), ...own]);
  const recursive = query.withClause?.recursive === true || ctes.some((cte) => cte.recursive);
  if (names.size < ctes.length + own.length || ctes.some((cte) => cte.level === undefined)) return undefined;
  const references: Reference[] = ctes.flatMap((cte) => [...statement.referencesIn(cte.node)]);
  if (!references.every((reference) => readable(reference.item))) return undefined;
  const hides = (value: unknown, except?: string): boolean =>
    [...statement.relationNamesIn(value)].some((name) => names.has(name) && (recursive || name !== except));
  const outer = { ...query };
  delete outer.withClause;
  if (hides({ SelectStmt: outer }) || ctes.some((cte) => hides(cte.node.ctequery, cte.name))) return undefined;
  return {
    ...query,
    withClause: {
      ctes: [...ctes.map((cte) => ({ CommonTableExpr: cte.node })), ...(query.withClause?.ctes ?? [])],
      ...(recursive ? { recursive: true } : {}),
    },
  };
}
