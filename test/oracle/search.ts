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
  /** Of so many searches of the seed this is the one with this number: each takes other statements. */
  readonly part?: { readonly number: number; readonly of: number };
  /** Of each kind only so many are made small: that takes a thousand tries. */
  readonly shrinks?: number;
  /** Of each reason so many refused statements are made small. */
  readonly examples?: number;
  onFound?(found: Found): void;
  onProgress?(tally: Tally): void;
}

/** Statement number `index` of a seed is the same one whatever the count. */
export async function search(bench: OracleBench, options: Search): Promise<Tally> {
  const { seed, count, shrinks = 4, examples = 0, part = { number: 0, of: 1 } } = options;
  const tally: Tally = {
    statements: 0,
    skipped: new Map(),
    bounded: 0,
    unbounded: 0,
    mismatches: [],
    refusals: new Map(),
    refused: 0,
  };
  for (let index = part.number; tally.statements < count; index += part.of) {
    const tape = numbersOf(seed, index, NUMBERS);
    const statement = statementOf(tape);
    // By twos, so that two searches share the work.
    const everyMode = Math.floor(index / 2) % EVERY_MODE === 0;
    const verdict = await check(bench, statement, everyMode);
    if (verdict.kind === 'skipped') {
      tally.skipped.set(verdict.why, (tally.skipped.get(verdict.why) ?? 0) + 1);
      continue;
    }
    tally.statements += 1;
    if (statement.label === 'bounded') tally.bounded += 1;
    if (statement.label === 'unbounded') tally.unbounded += 1;
    if (verdict.kind === 'refused' && statement.label === 'bounded') {
      tally.refused += 1;
      const reason = verdict.reason;
      const known = tally.refusals.get(reason) ?? { count: 0, examples: [] };
      tally.refusals.set(reason, known);
      known.count += 1;
      if (known.examples.length < examples) {
        const small = await smallest(tape, async (candidate) => {
          if (candidate.label !== 'bounded') return false;
          const again = await check(bench, candidate, false);
          return again.kind === 'refused' && again.reason === reason;
        });
        known.examples.push({ index, text: textOf(small) });
      } else if (known.examples.length === 0) known.examples.push({ index, text: textOf(statement) });
    }
    if (verdict.kind === 'mismatch') {
      const fails = async (candidate: Generated): Promise<Mismatch | undefined> => {
        const again = await check(bench, candidate, everyMode);
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
  const known = new Map([[statementOf(tape).text, true]]);
  const small = await shrink(tape, async (candidate) => {
    const statement = statementOf(candidate);
    const held = known.get(statement.text) ?? (await holds(statement));
    known.set(statement.text, held);
    return held;
  });
  return statementOf(small);
}
