import type { Column, VirtualTable } from '../../catalog/table.ts';
import { boundingOperator } from '../../sources/bounding.ts';
import { conditionText, conjunctsOf } from '../../sources/condition-text.ts';
import type { Condition, Predicate, ScanRequest, ScanSource, Settled } from '../../sources/source.ts';

/** What a scan asks, taken apart so that another's rows can be seen to hold all of its own. */
export interface Asked {
  readonly table: VirtualTable;
  /** Rows are kept for the role that they were read for. */
  readonly role: string;
  readonly columns: ReadonlySet<Column>;
  /** But for those of `range`. */
  readonly conjuncts: ReadonlyMap<string, Condition>;
  /** Of the table's settled column, both inclusive, milliseconds since the epoch; without one, always. */
  readonly range: Range;
  /** The settled column, where the conditions bound it below and it is read: rows can be told apart by it. */
  readonly time: Column | undefined;
  /** Names of `ScanRequest.chosenBy`. */
  readonly chosenBy: readonly string[];
  /** It names where to look (`ScanSource.places`), be that where nobody looks who does not. */
  readonly namesPlaces: boolean;
}

export interface Range {
  readonly from: number;
  readonly to: number;
}

const ALWAYS: Range = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };

/** The finest difference that PostgreSQL's timestamps have. */
const MICROSECOND = 0.001;

export function askedBy(
  request: ScanRequest,
  role: string,
  { settled, places }: Pick<ScanSource, 'settled' | 'places'>,
): Asked {
  const conjuncts = new Map<string, Condition>();
  let range = ALWAYS;
  let time: Column | undefined;
  for (const condition of conjunctsOf(request)) {
    const bound = condition.kind === 'predicate' ? boundOf(condition.predicate, settled) : undefined;
    if (bound === undefined) conjuncts.set(conditionText(condition), condition);
    else range = { from: Math.max(range.from, bound.from), to: Math.min(range.to, bound.to) };
  }
  if (Number.isFinite(range.from)) time = request.columns.find(({ path }) => path === settled?.path);
  const chosenBy = (request.chosenBy ?? []).map(({ name }) => name).sort();
  const namesPlaces = request.predicates.some(
    ({ column, operator, steps }) =>
      places !== undefined && column.path === places && operator === '=' && steps === undefined,
  );
  return {
    table: request.table,
    role,
    columns: new Set(request.columns),
    conjuncts,
    range,
    time,
    chosenBy,
    namesPlaces,
  };
}

/** Whether rows that one scan was asked for hold all that another asks, but for the latest of its times. */
export function holdsAllOf(kept: Asked, asked: Asked): boolean {
  return isSubset(asked.columns, kept.columns) && holdsRowsOf(kept, asked);
}

export function isSubset<T>(some: ReadonlySet<T>, all: ReadonlySet<T>): boolean {
  return [...some].every((each) => all.has(each));
}

/** The same, whichever columns they have. */
export function holdsRowsOf(kept: Asked, asked: Asked): boolean {
  if (kept.table !== asked.table || kept.role !== asked.role || kept.range.from > asked.range.from) return false;
  if (asked.namesPlaces && !kept.namesPlaces) return false;
  // An input says what is asked; a row shows it, but does not depend on it as on a condition.
  if (inputs(kept) !== inputs(asked)) return false;
  return [...kept.conjuncts].every(([text, condition]) => asked.conjuncts.has(text) || isImplied(condition, asked));
}

/** What is asked when all rows before a time are known. Rows that are enough by their order or number, are with the known ones too. */
export function tailOf(request: ScanRequest, time: Column, from: number): ScanRequest {
  const isLower = ({ column, operator }: Predicate): boolean =>
    column === time && (operator === '>' || operator === '>=');
  const predicates = request.predicates.filter((predicate) => !isLower(predicate));
  return {
    ...request,
    predicates: [...predicates, { column: time, operator: '>=', values: [String(from)] }],
    restOf: request,
  };
}

function boundOf({ column, steps, operator, values }: Predicate, settled: Settled | undefined): Range | undefined {
  const [value, ...more] = values.map(Number);
  const isTime = settled !== undefined && column.path === settled.path && steps === undefined;
  if (!isTime || value === undefined || more.length > 0 || Number.isNaN(value)) return undefined;
  switch (boundingOperator(operator)) {
    case '<':
      return { ...ALWAYS, to: value - MICROSECOND };
    case '<=':
      return { ...ALWAYS, to: value };
    case '>':
      return { ...ALWAYS, from: value + MICROSECOND };
    case '>=':
      return { ...ALWAYS, from: value };
    case '=':
    case undefined:
      return undefined;
  }
}

function inputs({ conjuncts, chosenBy }: Asked): string {
  const own = [...conjuncts].filter(([, condition]) => asksInput(condition));
  return JSON.stringify([own.map(([text]) => text).sort(), chosenBy]);
}

function asksInput(condition: Condition): boolean {
  return condition.kind === 'predicate'
    ? condition.predicate.column.key === 'input'
    : condition.of.some((each) => asksInput(each));
}

/** A list of values allows whatever a shorter one does. */
function isImplied(condition: Condition, asked: Asked): boolean {
  if (condition.kind !== 'predicate' || condition.predicate.operator !== '=') return false;
  const { column, steps = [], values } = condition.predicate;
  return [...asked.conjuncts.values()].some((own) => {
    if (own.kind !== 'predicate' || own.predicate.operator !== '=' || own.predicate.column !== column) return false;
    const isSamePlace = JSON.stringify(own.predicate.steps ?? []) === JSON.stringify(steps);
    return isSamePlace && own.predicate.values.every((value) => values.includes(value));
  });
}
