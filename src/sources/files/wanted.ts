import type { ScanRequest } from '../source.ts';
import { type LinePlan, linePlanOf } from './line-plan.ts';
import { type Needles, needlesOf } from '../needles.ts';
import { type Projection, projectionOf } from './projection.ts';

/** Which of a file's records are used, and what of them: the rest need not come out of the thread that reads it. */
export interface Wanted {
  readonly projection: Projection;
  /** Of each entry, one is in the bytes of every record that is used. */
  readonly needles: readonly Needles[];
  /** Rows are written of the records whose bytes allow it; undefined: all come as records. */
  readonly lines: LinePlan | undefined;
}

export function wantedOf(request: ScanRequest): Wanted {
  return { projection: projectionOf(request.columns), needles: needlesOf(request), lines: linePlanOf(request) };
}
