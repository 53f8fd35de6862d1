import type { Node } from '@pgsql/types';
import type { Column } from '../catalog/table.ts';
import type { TrailhoundError } from '../kernel/errors.ts';
import type { ScanKeys } from './scan-keys.ts';
import type { LockedRelation } from './locked-relations.ts';
import { placeholder, type Reference } from './statement.ts';

/** What is done before a statement runs. Immutable. */
export type Step =
  /** `keys`: values that narrow it where they are few enough for the source. It starts when what they read is there. */
  | { readonly kind: 'scan'; readonly reference: Reference; readonly keys: readonly ScanKeys[] }
  /** Fails before any call, unless a condition without columns says that no row of the reference counts. */
  | ({ readonly kind: 'refuse' } & Unbounded)
  | {
      readonly kind: 'lookup';
      readonly reference: Reference;
      readonly key: Column;
      /** Statements of one column each; together they give the keys. References in them are placeholders. */
      readonly queries: readonly string[];
      /** What rows give for input columns. */
      readonly inputs: readonly InputKeys[];
      /** For messages: where the keys come from, as the user wrote it. */
      readonly from: string;
      /** Rows of ordinary relations decide the keys: the statement must see the same ones. */
      readonly ordinary: boolean;
      /** Those of them that the statement changes or locks. */
      readonly locked: readonly LockedRelation[];
    }
  | {
      readonly kind: 'evaluate';
      readonly id: number;
      readonly query: string;
      /** The subquery in the user's text that the rows replace, or the view that is named there. */
      readonly node: Node;
    }
  | RecursionStep;

export interface InputKeys {
  readonly column: Column;
  /** Statements of one column of text each. Undefined: each row of the look-up's own is a JSON array of a key and a value. */
  readonly queries: readonly string[] | undefined;
}

/** A reference whose key nothing bounds, and what is said of it. */
export interface Unbounded {
  readonly unbounded: Reference;
  readonly key: Column;
  readonly error: TrailhoundError;
  /** A condition that would bound it, by what stands beside it. */
  readonly clause: string | undefined;
}

/** A recursive CTE that is driven by us: level by level, with the keys of each level looked up before it is computed. */
export interface RecursionStep {
  readonly kind: 'recursion';
  /** All of its rows, by placeholder. */
  readonly id: number;
  /** The rows of the last level, by placeholder. */
  readonly working: number;
  readonly name: string;
  /** The names that the CTE gives its columns, as far as it does. */
  readonly columns: readonly string[];
  readonly base: string;
  /** What a level adds. */
  readonly term: string;
  /** Done before each level. */
  readonly steps: readonly Step[];
  /**
   * The CTE's query in the user's text, which the rows replace. Undefined: PostgreSQL computes it itself once its look-ups
   * have the keys of all levels.
   */
  readonly node: Node | undefined;
  /** Rows of ordinary relations lead to others: the statement must see the same ones, where it computes them itself. */
  readonly ordinary: boolean;
}

/** A step that may give a part of its rows first, and more of them later. */
export type Growing = RecursionStep | Extract<Step, { kind: 'lookup' }>;

/** Whether rows of a step travel as text, from the client's backend and back. */
export function keepsRows(step: Step): boolean {
  return step.kind === 'evaluate' || step.kind === 'recursion';
}

/** The look-ups of steps, those at each level of a recursion included. */
export function lookupsIn(steps: readonly Step[]): readonly Extract<Step, { kind: 'lookup' }>[] {
  return steps.flatMap((step) => {
    switch (step.kind) {
      case 'lookup':
        return [step];
      case 'recursion':
        return lookupsIn(step.steps);
      case 'scan':
      case 'refuse':
      case 'evaluate':
        return [];
    }
  });
}

/** The relations whose rows give keys and that the statement changes or locks. */
export function lockedBy(steps: readonly Step[]): readonly LockedRelation[] {
  const found = steps.flatMap((step): readonly LockedRelation[] => {
    switch (step.kind) {
      case 'lookup':
        return step.locked;
      case 'scan':
        return step.keys.flatMap(({ locked }) => locked);
      case 'recursion':
        return lockedBy(step.steps);
      case 'refuse':
      case 'evaluate':
        return [];
    }
  });
  return [...new Set(found)];
}

/** Whether rows of ordinary relations give keys: the statement must see the same ones. */
export function readsOrdinary(steps: readonly Step[]): boolean {
  return steps.some((step): boolean => {
    switch (step.kind) {
      case 'lookup':
        return step.ordinary;
      case 'scan':
        return step.keys.some(({ ordinary }) => ordinary);
      case 'recursion':
        return readsOrdinary(step.steps);
      case 'refuse':
      case 'evaluate':
        return false;
    }
  });
}

/** Whether what a step asks depends on the rows of a level. */
export function readsLevel(step: Step, id: number): boolean {
  const isNamed = (text: string): boolean => text.includes(`"${placeholder('level', id)}"`);
  switch (step.kind) {
    case 'scan':
    case 'refuse':
      return false;
    case 'lookup':
      return [...step.queries, ...step.inputs.flatMap(({ queries }) => queries ?? [])].some(isNamed);
    case 'evaluate':
      return isNamed(step.query);
    case 'recursion':
      return isNamed(step.base) || isNamed(step.term) || step.steps.some((each) => readsLevel(each, id));
  }
}

/** The step that looks a reference up, and the innermost recursion at each level of which it does. */
export function lookupOf(
  reference: Reference,
  steps: readonly Step[],
  within?: RecursionStep,
): { readonly lookup: Extract<Step, { kind: 'lookup' }>; readonly within: RecursionStep | undefined } | undefined {
  for (const step of steps) {
    if (step.kind === 'lookup' && step.reference === reference) return { lookup: step, within };
    const found = step.kind === 'recursion' ? lookupOf(reference, step.steps, step) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
