import type { Node } from '@pgsql/types';
import type { Column } from '../catalog/table.ts';
import type { FirstRows } from '../planner/first-rows.ts';
import type { Limit } from '../planner/limits.ts';
import type { OpenPredicate, OpenValue } from '../planner/predicates.ts';
import type { Restrictions } from '../planner/restrictions.ts';
import type { Reference } from '../planner/statement.ts';
import type { Aggregation, Condition, Predicate } from '../sources/source.ts';
import { deparse } from '../sql/deparse.ts';
import type { ClientBackend } from './backend.ts';
import { closeCondition, leavesOf, valuesWhere } from './condition-values.ts';
import type { ParameterList } from './parameters.ts';

/** Predicates with their values, as PostgreSQL computed them. */
export interface KnownRestrictions {
  readonly predicates: readonly Predicate[];
  readonly conditions: readonly Condition[];
  /** A conjunct can never be true: no row counts. */
  readonly contradiction: boolean;
  /** Rows that are enough; undefined: all. Counts only where every predicate is pushed exactly. */
  readonly limit: number | undefined;
  /** All that is needed of the rows; undefined: themselves. Counts only where every predicate is pushed exactly. */
  readonly aggregation?: Aggregation | undefined;
  /** Of the rows that count, in an order, so many are needed. */
  readonly first?: KnownFirstRows | undefined;
  /** Optional columns by which the statement chooses rows, in whatever way. */
  readonly chosenBy?: readonly Column[] | undefined;
}

export interface KnownFirstRows extends FirstRows {
  /** One or more. */
  readonly count: number;
}

/** A select list has at most 1,664 entries (PostgreSQL's MaxTupleAttributeNumber); each value takes two. */
const VALUES_A_QUERY = 800;

/** Types under which a comparison with a column of ours is PostgreSQL's plain one, by the column's type. */
const COMPARABLE: Readonly<Record<string, readonly string[]>> = {
  text: ['text', 'character varying', 'name', 'unknown'],
  'timestamp with time zone': ['timestamp with time zone', 'timestamp without time zone', 'date', 'text', 'unknown'],
  boolean: ['boolean', 'text', 'unknown'],
  integer: ['smallint', 'integer', 'bigint', 'numeric', 'text', 'unknown'],
  bigint: ['smallint', 'integer', 'bigint', 'numeric', 'text', 'unknown'],
  'double precision': ['smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision', 'text', 'unknown'],
  inet: ['inet', 'cidr', 'text', 'unknown'],
};

interface Asked {
  readonly node: Node;
  /** SQL from the computed value `v.cN` to its canonical text. */
  readonly canonical: (value: string) => string;
}

/** Computes all values of a statement's predicates on the client's backend, in queries that name no table. */
export async function computeRestrictions(
  restrictions: ReadonlyMap<Reference, Restrictions>,
  parameters: ParameterList,
  backend: ClientBackend,
): Promise<ReadonlyMap<Reference, KnownRestrictions>> {
  const answers: ComputedValue[] = [];
  for (const query of valueQueriesOf(restrictions)) answers.push(...(await compute(query, parameters, backend)));
  let next = 0;
  const take = (): ComputedValue => answers[next++] ?? { type: 'unknown', text: null };
  return new Map(
    [...restrictions].map(([reference, restricted]) => {
      const { constantConditions, predicates, conditions: trees, limit, aggregation, first, chosenBy } = restricted;
      const bounds = ({ count, offset }: Limit): KnownLimit => ({ count: count && take(), offset: offset && take() });
      const limits = limit.map(bounds);
      const firstRows = first && rowsNeeded([bounds(first.limit)]);
      const conditions = constantConditions.map(() => take());
      const valuesOf = ({ values }: OpenPredicate): ComputedValue[] => values.map(() => take());
      const known = predicates.map((predicate) => close(predicate, valuesOf(predicate)));
      const closed = trees.map((tree) =>
        closeCondition(tree, (leaf) => {
          if (leaf.kind === 'constant') return take().text === String(leaf.wanted) ? 'always' : 'never';
          const { predicate } = leaf;
          const values = valuesOf(predicate);
          const isNone = predicate.operator === '<>' && predicate.values.some(({ list }) => list);
          return isNone ? closeExcluded(predicate, values) : close(predicate, values);
        }),
      );
      const conditionsKnown = closed.filter((condition) => typeof condition === 'object');
      const everyKnown = known.every((predicate) => predicate !== 'unknown');
      const impossible = [...known, ...closed].includes('never');
      return [
        reference,
        {
          predicates: withInputs(
            known.filter((predicate) => predicate !== 'never' && predicate !== 'unknown'),
            conditionsKnown,
            reference,
          ),
          conditions: conditionsKnown,
          contradiction: impossible || conditions.some((condition) => condition.text !== 'true'),
          limit: everyKnown ? rowsNeeded(limits) : undefined,
          aggregation: everyKnown ? aggregation : undefined,
          first: first && firstRows ? { ...first, count: firstRows } : undefined,
          chosenBy,
        },
      ];
    }),
  );
}

/** What alternatives say of an input column is asked for like what a conjunct says. */
function withInputs(
  predicates: readonly Predicate[],
  conditions: readonly Condition[],
  { view }: Reference,
): readonly Predicate[] {
  const inputs = view.table.columns.filter(
    (column) =>
      column.key === 'input' &&
      !predicates.some((predicate) => predicate.column === column && predicate.operator === '='),
  );
  const implied = inputs.flatMap((column): Predicate[] => {
    const values = conditions.map((condition) => valuesWhere(condition, column)).find((found) => found !== undefined);
    return values === undefined ? [] : [{ column, operator: '=', values }];
  });
  return [...predicates, ...implied];
}

const written = new WeakMap<ReadonlyMap<Reference, Restrictions>, readonly ValueQuery[]>();

/** Those of a plan that is run again are written down once. */
function valueQueriesOf(restrictions: ReadonlyMap<Reference, Restrictions>): readonly ValueQuery[] {
  let queries = written.get(restrictions);
  if (queries === undefined) written.set(restrictions, (queries = writeQueries(askedOf(restrictions))));
  return queries;
}

/** In the order in which the answers are taken. */
function askedOf(restrictions: ReadonlyMap<Reference, Restrictions>): readonly Asked[] {
  const asked: Asked[] = [];
  const askFor = (predicate: OpenPredicate): void => {
    for (const value of predicate.values)
      asked.push({ node: value.node, canonical: canonicalText(predicate.column, value) });
  };
  const askForTruth = (node: Node): void => {
    asked.push({ node, canonical: (value) => `${value}::pg_catalog.text` });
  };
  for (const { constantConditions, predicates, conditions, limit, first } of restrictions.values()) {
    for (const node of [...limit, ...(first === undefined ? [] : [first.limit])].flatMap(boundsOf))
      asked.push({ node, canonical: (value) => `${value}::pg_catalog.int8::pg_catalog.text` });
    constantConditions.forEach(askForTruth);
    predicates.forEach(askFor);
    conditions.flatMap(leavesOf).forEach((leaf) => {
      if (leaf.kind === 'constant') askForTruth(leaf.node);
      else askFor(leaf.predicate);
    });
  }
  return asked;
}

function boundsOf({ count, offset }: Limit): Node[] {
  return [count, offset].flatMap((bound) => bound ?? []);
}

/**
 * From the outermost level inwards: each asks for what the one around it needs, and for what it skips itself. LIMIT NULL
 * is no limit, OFFSET NULL none either; PostgreSQL refuses negative ones itself.
 */
function rowsNeeded(limits: readonly KnownLimit[]): number | undefined {
  const rows = limits.reduceRight((needed, { count, offset }) => {
    const most = count?.text === undefined || count.text === null ? Number.POSITIVE_INFINITY : Number(count.text);
    return Math.min(most, needed) + Number(offset?.text ?? 0);
  }, Number.POSITIVE_INFINITY);
  return Number.isSafeInteger(rows) && rows >= 0 ? rows : undefined;
}

interface KnownLimit {
  readonly count: ComputedValue | undefined;
  readonly offset: ComputedValue | undefined;
}

interface ComputedValue {
  readonly type: string;
  readonly text: string | null;
}

/** A query of one row: a type and a text for each value. */
interface ValueQuery {
  readonly text: string;
  readonly count: number;
}

function writeQueries(asked: readonly Asked[]): readonly ValueQuery[] {
  const queries: ValueQuery[] = [];
  for (let start = 0; start < asked.length; start += VALUES_A_QUERY) {
    const own = asked.slice(start, start + VALUES_A_QUERY);
    const inner = deparse({
      SelectStmt: {
        targetList: own.map(({ node }, index) => ({ ResTarget: { name: `c${String(index)}`, val: node } })),
        limitOption: 'LIMIT_OPTION_DEFAULT',
        op: 'SETOP_NONE',
      },
    });
    const outputs = own.flatMap(({ canonical }, index) => {
      const value = `v.c${String(index)}`;
      return [`pg_catalog.pg_typeof(${value})::pg_catalog.text`, canonical(value)];
    });
    queries.push({ text: `select ${outputs.join(', ')} from (${inner}) as v`, count: own.length });
  }
  return queries;
}

async function compute(
  { text, count }: ValueQuery,
  parameters: ParameterList,
  backend: ClientBackend,
): Promise<readonly ComputedValue[]> {
  const { types: parameterTypes, values } = parameters;
  const { rows } = await backend.query({ text, parameterTypes, parameters: values });
  const row = rows[0] ?? [];
  return Array.from({ length: count }, (_, index) => ({
    type: row[2 * index] ?? 'unknown',
    text: row[2 * index + 1] ?? null,
  }));
}

function canonicalText(column: Column, value: OpenValue): (sql: string) => string {
  if (value.list) return (sql) => `pg_catalog.array_to_json(${sql}::pg_catalog.text[])::pg_catalog.text`;
  switch (column.type) {
    case 'timestamp with time zone':
      return (sql) =>
        `(pg_catalog.extract('epoch', ${sql}::pg_catalog.timestamptz) operator(pg_catalog.*) 1000)::pg_catalog.text`;
    case 'inet':
      return (sql) => `pg_catalog.host(trailhound.key_inet(${sql}))`;
    case 'boolean':
      return (sql) => `${sql}::pg_catalog.bool::pg_catalog.text`;
    default:
      return (sql) => `${sql}::pg_catalog.text`;
  }
}

/** `<> all (array)`: true of all rows where there is no element, of none where one is NULL. */
function closeExcluded(
  predicate: OpenPredicate,
  values: readonly ComputedValue[],
): readonly Predicate[] | 'never' | 'always' | 'unknown' {
  const elements = values.flatMap(({ text }) => (text === null ? [null] : (JSON.parse(text) as (string | null)[])));
  if (elements.includes(null)) return 'never';
  if (elements.length === 0) return 'always';
  const all = close(predicate, values);
  return typeof all === 'string' ? all : all.values.map((value) => ({ ...all, values: [value] }));
}

/** 'never': no row satisfies it; 'unknown': it cannot be told to a source. */
function close(predicate: OpenPredicate, values: readonly ComputedValue[]): Predicate | 'never' | 'unknown' {
  const { column, operator, steps } = predicate;
  const place = { column, ...(steps && { steps }), operator };
  if (predicate.values.length === 0) return { ...place, values: [] };
  const lists = predicate.values.some((value) => value.list);
  const allowed = COMPARABLE[steps === undefined ? column.type : 'text'] ?? [];
  const types = values.map((value) => (lists ? value.type.replace('[]', '') : value.type));
  if (!types.every((type) => allowed.includes(type))) return 'unknown';
  // As text, timestamps follow the session's DateStyle and addresses end in their mask: not worth reading.
  if (lists && (column.type === 'timestamp with time zone' || column.type === 'inet')) return 'unknown';
  const texts = values.flatMap(({ text }) => {
    if (text === null) return [];
    return lists ? (JSON.parse(text) as (string | null)[]).filter((element) => element !== null) : [text];
  });
  // An address with a mask has no text here; NULL satisfies no comparison.
  if (column.type === 'inet' && texts.length < values.length) return 'unknown';
  if (operator === '=' && (column.type === 'integer' || column.type === 'bigint')) {
    // What a double rounds: digits are told from others by PostgreSQL alone.
    if (texts.some((text) => Math.abs(Number(text)) > Number.MAX_SAFE_INTEGER)) return 'unknown';
    // No integer equals 30.5, and 30.0 is 30.
    const whole = texts.map(Number).filter(Number.isSafeInteger).map(String);
    return whole.length === 0 ? 'never' : { column, operator, values: whole };
  }
  return texts.length === 0 ? 'never' : { ...place, values: texts };
}
