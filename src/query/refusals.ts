import { LOOPBACK_ROLE } from '../engine/loopback.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import type { Plan } from '../planner/plan.ts';
import type { Reference, Statement } from '../planner/statement.ts';
import type { Unbounded } from '../planner/steps.ts';
import { unboundedInput } from '../planner/unbounded-input.ts';
import { BackendError } from './backend.ts';
import { boundingHint } from './bounding-hint.ts';
import type { CallingStatement } from './callers.ts';
import type { KnownRestrictions } from './constants.ts';

/** The rows of a level that is evaluated once travel as text, which these settings make ambiguous. */
export function lossyText(): TrailhoundError {
  return new TrailhoundError('not_supported', 'a subquery with LIMIT cannot give keys under these settings', {
    detail:
      'With array_nulls off, extra_float_digits below 1 or a DateStyle other than ISO, text does not give back what it was made of.',
    hint: "Run: set array_nulls to on; set extra_float_digits to 1; set datestyle to 'ISO'.",
  });
}

/** A cast that the user wrote fails as PostgreSQL fails it; we know what would not. */
export function withHint(error: unknown): unknown {
  if (!(error instanceof BackendError) || error.fields.get('C') !== '22P02' || error.fields.has('H')) return error;
  if (error.fields.get('M')?.includes('type inet') !== true) return error;
  const hint =
    'Some of these texts are no addresses: use e.source_ip, or try_inet(...), which give NULL for them, in place of a cast.';
  return new BackendError(new Map([...error.fields, ['H', hint]]));
}

/** Which reference cannot be asked for, now that the values of conditions are known. */
export function refusalOf(plan: Plan, known: ReadonlyMap<Reference, KnownRestrictions>): Unbounded | undefined {
  const counts = ({ unbounded }: Unbounded): boolean => known.get(unbounded)?.contradiction !== true;
  const hasValues = ({ unbounded, key }: Unbounded): boolean =>
    known.get(unbounded)?.predicates.some(({ column, operator }) => column === key && operator === '=') === true;
  const refused = plan.steps.filter((step) => step.kind === 'refuse').find(counts);
  return refused ?? plan.inputs.find((input) => counts(input) && !hasValues(input));
}

/**
 * An input column that postgres_fdw reads without a value for it. It may stand in a condition that postgres_fdw computes
 * itself, over rows of the default: it does where it is one of several columns that are read, or named in what runs.
 *
 * @param calling undefined: nobody knows what runs
 */
export function unsaidInput(
  { references }: Statement,
  known: ReadonlyMap<Reference, KnownRestrictions>,
  calling: CallingStatement | undefined,
  given: ReadonlyMap<Reference, unknown>,
): Unbounded | undefined {
  for (const reference of references) {
    const { view, used } = reference;
    const own = known.get(reference);
    if (given.has(reference) || own?.contradiction === true) continue;
    const isAll = view.columns.every(({ name }) => used.has(name));
    const column = view.columns.find(
      ({ name, column: input }) =>
        input?.key === 'input' &&
        used.has(name) &&
        own?.predicates.some((each) => each.column === input && each.operator === '=') !== true &&
        (!isAll || calling?.writes(input.name) !== false),
    )?.column;
    if (column !== undefined) return unboundedInput(reference, column);
  }
  return undefined;
}

/** postgres_fdw asks us, and we would ask PostgreSQL, which would ask postgres_fdw again. */
export function cameBack(): TrailhoundError {
  return new TrailhoundError('too_complex', 'a scan of a virtual table leads back to itself', {
    detail: 'It was asked by postgres_fdw, for a statement that postgres_fdw had asked.',
    hint: 'Name the virtual table itself in the statement.',
  });
}

/** The planner's refusal, at its place in the text that the user wrote; undefined: it stands for EXECUTE. */
export function positioned(
  refused: Unbounded,
  { text, user, statement }: Written,
  unplanned: string | undefined,
): TrailhoundError {
  const { error, unbounded } = refused;
  const before = text === undefined ? undefined : Buffer.from(text).subarray(0, unbounded.location).toString();
  return new TrailhoundError(error.code, error.message, {
    detail: error.detail,
    hint:
      error.hint ??
      (user === LOOPBACK_ROLE
        ? (unplanned ??
          'Below a view or in a function only what names the values itself bounds them: write the join in the statement.')
        : boundingHint(refused, text, statement)),
    // PostgreSQL counts characters, not UTF-16 units.
    position: before === undefined ? undefined : Array.from(before).length + 1,
  });
}

export interface Written {
  readonly text: string | undefined;
  readonly user: string;
  readonly statement: Statement;
}
