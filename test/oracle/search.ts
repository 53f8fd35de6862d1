import { setTimeout as sleep } from 'node:timers/promises';
import type { OracleBench } from './bench.ts';
import { check, type Verdict } from './check.ts';
import type { Generated } from './grammar/generated.ts';
import { statementOf } from './grammar/statement.ts';
import { shrink } from './shrink.ts';
import { numbersOf } from './tape.ts';

/** More than the longest statement asks for. */
const NUMBERS = 600;
/** The mode in which every reference becomes a relation makes three times the work of the others. */
const EVERY_MODE = 4;

export type Mismatch = Extract<Verdict, { readonly kind: 'mismatch' }>;

export interface Found {
  readonly seed: number;
  readonly index: number;
  readonly mismatch: Mismatch;
  /** The smallest statement that goes wrong in the same way. */
  readonly statement: Generated;
}

export interface Refusal {
  count: number;
  /** The smallest of its kind. */
  readonly examples: { readonly index: number; readonly text: string }[];
}

export interface Tally {
  statements: number;
  skipped: Map<string, number>;
  /** Whose calls the generator has no bound for, though it should. */
  unchecked: Map<string, number>;
  bounded: number;
  unbounded: number;
  mismatches: Found[];
  /** Bounded statements that were refused, by reason and shapes. */
  refusals: Map<string, Refusal>;
  refused: number;
}

export interface Search {
  readonly seed: number;
  readonly count: number;
  /** The number of the first statement. */
  readonly from?: number;
  /** Of so many searches of the seed this is the one with this number: each takes other statements. */
  readonly part?: { readonly number: number; readonly of: number };
  /** Of each kind only so many are made small: that takes a thousand tries. */
  readonly shrinks?: number;
  /** Of each reason so many refused statements are made small. */
  readonly examples?: number;
  onFound?(found: Found): void;
  onProgress?(tally: Tally): void;
}

/** Longer than any statement takes, whose own patience is a second. */
const DEADLINE_MS = 120_000;

/** A bench that is opened anew where a statement has left nothing of it that works. */
class Examiner {
  readonly #open: () => Promise<OracleBench>;
  #bench: OracleBench;

  constructor(open: () => Promise<OracleBench>, bench: OracleBench) {
    this.#open = open;
    this.#bench = bench;
  }

  async check(statement: Generated, everyMode: boolean): Promise<Verdict> {
    const wrong = (what: 'no end' | 'exception', actual: string): Verdict => ({
      kind: 'mismatch',
      what,
      mode: 'any',
      expected: 'an answer',
      actual,
    });
    const deadline = new AbortController();
    const late = sleep(DEADLINE_MS, wrong('no end', 'none'), { signal: deadline.signal }).catch(() =>
      wrong('no end', ''),
    );
    const verdict = await Promise.race([
      check(this.#bench, statement, everyMode).catch((error: unknown) =>
        wrong('exception', error instanceof Error ? (error.stack ?? error.message) : String(error)),
      ),
      late,
    ]);
    deadline.abort();
    if (verdict.kind === 'mismatch' && !(await this.#works(verdict))) {
      await this.close().catch(() => undefined);
      this.#bench = await this.#open();
    }
    return verdict;
  }

  async close(): Promise<void> {
    await this.#bench.close();
  }

  async #works({ what }: Mismatch): Promise<boolean> {
    if (what === 'no end') return false;
    return this.#bench.both('select 1').then(
      () => true,
      () => false,
    );
  }
}

/** Statement number `index` of a seed is the same one whatever the count. */
export async function search(open: () => Promise<OracleBench>, options: Search): Promise<Tally> {
  const examiner = new Examiner(open, await open());
  try {
    return await searched(examiner, options);
  } finally {
    await examiner.close();
  }
}

async function searched(examiner: Examiner, options: Search): Promise<Tally> {
  const { seed, count, shrinks = 4, examples = 0, from = 0, part = { number: 0, of: 1 } } = options;
  const tally: Tally = {
    statements: 0,
    skipped: new Map(),
    unchecked: new Map(),
    bounded: 0,
    unbounded: 0,
    mismatches: [],
    refusals: new Map(),
    refused: 0,
  };
  for (let index = from + part.number; tally.statements < count; index += part.of) {
    const tape = numbersOf(seed, index, NUMBERS);
    const statement = statementOf(tape);
    // By twos, so that two searches share the work.
    const everyMode = Math.floor(index / 2) % EVERY_MODE === 0;
    const verdict = await examiner.check(statement, everyMode);
    if (verdict.kind === 'skipped') {
      tally.skipped.set(verdict.why, (tally.skipped.get(verdict.why) ?? 0) + 1);
      continue;
    }
    tally.statements += 1;
    if (statement.label === 'bounded') tally.bounded += 1;
    if (statement.label === 'unbounded') tally.unbounded += 1;
    if (verdict.kind === 'same' && verdict.unchecked !== undefined)
      tally.unchecked.set(verdict.unchecked, (tally.unchecked.get(verdict.unchecked) ?? 0) + 1);
    if (verdict.kind === 'refused' && statement.label === 'bounded') {
      tally.refused += 1;
      const reason = verdict.reason;
      const known = tally.refusals.get(reason) ?? { count: 0, examples: [] };
      tally.refusals.set(reason, known);
      known.count += 1;
      if (known.examples.length < examples) {
        const small = await smallest(tape, async (candidate) => {
          if (candidate.label !== 'bounded') return false;
          const again = await examiner.check(candidate, false);
          return again.kind === 'refused' && again.reason === reason;
        });
        known.examples.push({ index, text: textOf(small) });
      } else if (known.examples.length === 0) known.examples.push({ index, text: textOf(statement) });
    }
    if (verdict.kind === 'mismatch') {
      const fails = async (candidate: Generated): Promise<Mismatch | undefined> => {
        const again = await examiner.check(candidate, everyMode);
        return again.kind === 'mismatch' && again.what === verdict.what && again.mode === verdict.mode
          ? again
          : undefined;
      };
      const known = tally.mismatches.filter(({ mismatch }) => mismatch.what === verdict.what).length;
      const small =
        known < shrinks ? await smallest(tape, async (each) => (await fails(each)) !== undefined) : statement;
      const found = { seed, index, mismatch: (await fails(small)) ?? verdict, statement: small };
      tally.mismatches.push(found);
      options.onFound?.(found);
    }
    options.onProgress?.(tally);
  }
  return tally;
}

/** With what is made before it. */
export function textOf({ stage, text }: Generated): string {
  return [...(stage?.before ?? []), text].join(';\n');
}

/** Many tapes make the same statement: each is tried once. */
async function smallest(
  tape: readonly number[],
  holds: (statement: Generated) => Promise<boolean>,
): Promise<Generated> {
  const known = new Map([[identityOf(statementOf(tape)), true]]);
  const small = await shrink(tape, async (candidate) => {
    const statement = statementOf(candidate);
    const identity = identityOf(statement);
    const held = known.get(identity) ?? (await holds(statement));
    known.set(identity, held);
    return held;
  });
  return statementOf(small);
}

function identityOf(statement: Generated): string {
  const { values, label, after = '', copies } = statement;
  const bound = values.map(({ type, format, value }) => [type, format, value?.toString('hex')]);
  return JSON.stringify([textOf(statement), bound, label, after, copies]);
}
