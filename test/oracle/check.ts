import { TrailhoundError } from '../../src/kernel/errors.ts';
import { BackendError } from '../../src/query/backend.ts';
import type { Answer, Mode, OracleBench } from './bench.ts';
import type { Generated } from './grammar/generated.ts';
import { isPrivate } from './world.ts';

/** Rows, the SQLSTATE that PostgreSQL raises, our refusal, or too long to say. */
type Outcome<T> =
  /** More than the pipeline keeps: 1,000 levels, or 250,000 rows. */
  | { readonly kind: 'beyond'; readonly message: string }
  | { readonly kind: 'rows'; readonly answer: T }
  | { readonly kind: 'error'; readonly sqlstate: string; readonly message: string }
  /** `late`: as it ran, not before. */
  | { readonly kind: 'refused'; readonly reason: string; readonly late: boolean }
  | { readonly kind: 'late' };

export type Verdict =
  /** `unchecked`: why nobody knows whether its calls are too many. */
  | { readonly kind: 'same'; readonly unchecked?: string | undefined }
  /** Not a statement to PostgreSQL, too many rows, too late: no example. */
  | { readonly kind: 'skipped'; readonly why: string }
  | { readonly kind: 'refused'; readonly reason: string }
  | {
      readonly kind: 'mismatch';
      readonly what: Mistake;
      readonly mode: string;
      readonly expected: string;
      readonly actual: string;
    };

export type Mistake =
  | 'rows'
  | 'order'
  | 'columns'
  | 'error'
  | 'accepted'
  | 'calls'
  | 'calls twice'
  | 'calls warm'
  | 'explain'
  | 'refused in one mode'
  | 'no end'
  | 'exception';

/** Read from a transaction that is rolled back. */
const NOTHING = 'select where false';
const MOST_ROWS = 3_000;

const COLD: Mode = { name: 'pushdown on, cache cold', pushdown: 'exact', settings: {}, warm: false, road: 'pipeline' };
const WARM: Mode = {
  name: 'pushdown inexact, cache warm',
  pushdown: 'inexact',
  settings: {},
  warm: true,
  road: 'pipeline',
};
const OFF: Mode = {
  name: 'pushdown off, cache off, one call at a time, relations',
  pushdown: 'none',
  // What is not UTF-8 is bound as a relation, never as parameters.
  settings: { 'trailhound.cache': 'off', 'trailhound.concurrency': '1', client_encoding: 'LATIN1' },
  warm: true,
  road: 'pipeline',
};
const THROUGH: Mode = { ...COLD, name: 'through the endpoint', road: 'endpoint' };
const THROUGH_WARM: Mode = { ...WARM, name: 'through the endpoint, cache warm', road: 'endpoint' };

/** Runs a statement over plain tables and, in every mode, over the virtual ones. */
export async function check(bench: OracleBench, statement: Generated, everyMode: boolean): Promise<Verdict> {
  const { label, stage } = statement;
  const [first, ...others] =
    stage === undefined ? [COLD, WARM, ...(everyMode ? [OFF, THROUGH] : [])] : [THROUGH, THROUGH_WARM];
  const expected = await outcomeOf(bench.oracle(statement));
  if (expected.kind === 'late' || expected.kind === 'beyond') return { kind: 'skipped', why: 'late' };
  if (expected.kind === 'refused') return { kind: 'skipped', why: expected.reason };
  if (expected.kind === 'error' && /^(42|0A|57|53|54)/.test(expected.sqlstate))
    return { kind: 'skipped', why: `${expected.sqlstate} ${expected.message}` };
  if (expected.kind === 'rows' && expected.answer.rows.length > MOST_ROWS) return { kind: 'skipped', why: 'rows' };
  let refused: string | undefined;
  let unchecked: string | undefined;
  for (const mode of [first, ...others]) {
    const actual = await outcomeOf(bench.ask(statement, mode));
    const mismatch = (what: Mistake, wanted: string, got: string): Verdict => ({
      kind: 'mismatch',
      what,
      mode: mode.name,
      expected: wanted,
      actual: got,
    });
    if (actual.kind === 'late') return { kind: 'skipped', why: 'late' };
    if (actual.kind === 'beyond') return { kind: 'skipped', why: `a bound of ours: ${actual.message}` };
    if (actual.kind === 'refused') {
      // Whether a NULL is come to depends on the order in which PostgreSQL computes conditions.
      if (mode !== first && !actual.late) return mismatch('refused in one mode', 'as before', actual.reason);
      refused = actual.reason;
      break;
    }
    if (label === 'unbounded') return mismatch('accepted', 'HV002', describe(actual));
    if (actual.kind === 'error' || expected.kind === 'error') {
      const same = actual.kind === 'error' && expected.kind === 'error' && actual.sqlstate === expected.sqlstate;
      if (same) continue;
      // PostgreSQL leaves open whether what fails is computed before what makes it needless.
      if (statement.shapes.has('cast that may fail') && (failsToCast(actual) || failsToCast(expected)))
        return { kind: 'skipped', why: 'order of evaluation' };
      return mismatch('error', describe(expected), describe(actual));
    }
    const wrong = await compare(bench, statement, expected.answer, actual.answer);
    if (wrong !== undefined) return mismatch(wrong, describe(expected), describe(actual));
    try {
      const calls = await checkCalls(bench, statement, actual.answer, mode);
      if (calls !== undefined) return mismatch(...calls);
    } catch (error) {
      if (!(error instanceof NoBound)) throw error;
      unchecked = error.message;
    }
  }
  const mayExplain = expected.kind === 'rows' && statement.after === undefined && statement.copies !== true;
  const explained = everyMode && mayExplain ? await explain(bench, statement, first) : undefined;
  if (explained !== undefined) return explained;
  return refused === undefined ? { kind: 'same', unchecked } : { kind: 'refused', reason: refused };
}

/** EXPLAIN calls nothing and refuses nothing. */
async function explain(bench: OracleBench, statement: Generated, mode: Mode): Promise<Verdict | undefined> {
  const text = `explain (costs off) ${statement.text}`;
  const outcome = await outcomeOf(bench.ask({ ...statement, text }, mode));
  const asked = outcome.kind === 'rows' ? [...outcome.answer.asked.values()].flat() : [];
  if (outcome.kind === 'late' || (outcome.kind === 'rows' && asked.length === 0)) return undefined;
  const actual = outcome.kind === 'rows' ? asked.join(', ') : describe(outcome);
  return { kind: 'mismatch', what: 'explain', mode: mode.name, expected: 'a plan without a call', actual };
}

async function compare(
  bench: OracleBench,
  { choice, ordered, values, stage }: Generated,
  expected: Omit<Answer, 'asked'>,
  actual: Answer,
): Promise<Mistake | undefined> {
  if (JSON.stringify(expected.columns) !== JSON.stringify(actual.columns)) return 'columns';
  const [wanted, got] = [expected.rows, actual.rows].map((rows) => rows.map((row) => JSON.stringify(row)));
  if (wanted === undefined || got === undefined) return 'rows';
  if (choice !== undefined) {
    const all = await bench.oracle({ text: choice.text, values, stage });
    const left = new Map<string, number>();
    for (const row of all.rows.map((each) => JSON.stringify(each))) left.set(row, (left.get(row) ?? 0) + 1);
    const enough = got.length === Math.max(0, Math.min(choice.count, all.rows.length - choice.offset));
    const contained = got.every((row) => {
      const count = left.get(row) ?? 0;
      left.set(row, count - 1);
      return count > 0;
    });
    return enough && contained ? undefined : 'rows';
  }
  const same = (one: readonly string[], two: readonly string[]): boolean =>
    one.length === two.length && one.every((row, index) => row === two[index]);
  if (!same(wanted.toSorted(), got.toSorted())) return 'rows';
  return ordered && !same(wanted, got) ? 'order' : undefined;
}

async function checkCalls(
  bench: OracleBench,
  { allowed, values, stage, after }: Generated,
  { asked }: Answer,
  mode: Mode,
): Promise<[Mistake, string, string] | undefined> {
  for (const [table, keys] of asked) {
    const list = `${table}: ${keys.toSorted().join(', ')}`;
    if (new Set(keys).size < keys.length) return ['calls twice', 'each key once', list];
    if (mode.warm && mode !== OFF && keys.length > 0) return ['calls warm', 'no call', list];
    const queries = allowed.get(table);
    if (queries === undefined || keys.length === 0 || mode.warm) continue;
    const most = await mostKeys(bench, queries, { values, stage, after: after && NOTHING });
    // Fewer keys may come from another condition of the statement.
    if (keys.length > [...most].filter((key) => isCalled(table, key)).length) {
      return ['calls', `${table}: ${[...most].toSorted().join(', ')}`, list];
    }
  }
  return undefined;
}

/** NULL is no key, and what is known of private addresses takes no call. */
function isCalled(table: string, key: unknown): boolean {
  return typeof key === 'string' && !(table === 'abuseipdb_check_ip' && isPrivate(key));
}

/** The generator's own SQL gives no keys that calls could be compared with. */
class NoBound extends Error {}

/** By the generator's own SQL. @throws NoBound where that fails: on a row that the statement itself need not compute, or at all */
async function mostKeys(
  bench: OracleBench,
  queries: readonly string[],
  around: Omit<Parameters<OracleBench['oracle']>[0], 'text'>,
): Promise<ReadonlySet<unknown>> {
  const most = new Set<unknown>();
  for (const text of queries) {
    try {
      for (const [key] of (await bench.oracle({ text, ...around })).rows) most.add(key);
    } catch (error) {
      if (isDataException(error)) throw new NoBound('a value that the generator alone computes');
      throw new NoBound(`the generator's own query is none: ${String(error)}: ${text}`, { cause: error });
    }
  }
  return most;
}

function isDataException(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('22');
}

async function outcomeOf<T>(answer: Promise<T>): Promise<Outcome<T>> {
  try {
    return { kind: 'rows', answer: await answer };
  } catch (error) {
    if (error instanceof TrailhoundError) {
      if (error.code === 'statement_timeout') return { kind: 'late' };
      if (error.code === 'too_complex') return { kind: 'beyond', message: error.message };
      if (['unbounded_key', 'not_supported'].includes(error.code))
        return { kind: 'refused', reason: reasonOf(error), late: false };
      return { kind: 'error', sqlstate: error.code, message: error.message };
    }
    const { code = '' } = error as { code?: string };
    const sqlstate = error instanceof BackendError ? (error.fields.get('C') ?? '') : code;
    const message = error instanceof Error ? error.message : String(error);
    if (sqlstate === '57014') return { kind: 'late' };
    if (message.startsWith('whether a NULL is in this subquery'))
      return { kind: 'refused', reason: message, late: true };
    if (sqlstate === '54001') return { kind: 'beyond', message };
    if (sqlstate === 'HV002' || sqlstate === '0A000') {
      const { detail } = error as { detail?: string };
      return { kind: 'refused', reason: reasonOf({ message, detail }), late: false };
    }
    return { kind: 'error', sqlstate: sqlstate === '' ? 'exception' : sqlstate, message };
  }
}

function failsToCast(outcome: Outcome<unknown>): boolean {
  return outcome.kind === 'error' && outcome.sqlstate === '22P02';
}

function reasonOf({
  message,
  detail = '',
}: {
  readonly message: string;
  readonly detail?: string | undefined;
}): string {
  return `${message}: ${detail.split('.')[0] ?? ''}`;
}

function describe(outcome: Outcome<{ readonly rows: readonly unknown[][] }>): string {
  switch (outcome.kind) {
    case 'rows':
      return outcome.answer.rows
        .map((row) => JSON.stringify(row))
        .toSorted()
        .join('\n');
    case 'error':
      return `${outcome.sqlstate} ${outcome.message}`;
    case 'refused':
      return outcome.reason;
    case 'beyond':
      return outcome.message;
    case 'late':
      return 'too late';
  }
}
