import type { SelectStmt } from '@pgsql/types';
import { deparse } from '../sql/deparse.ts';
import { isWithin, type Item } from '../sql/scope.ts';
import { bare, isInText } from '../sql/walk.ts';
import { evaluate, evaluateCtes, isAlone } from './evaluation.ts';
import { endsByLimit } from './growing.ts';
import { withCtes } from './key-query.ts';
import { isMarkable, isMarked, markedBase, markedTerm } from './marked-recursion.ts';
import type { Lookup, Planning } from './planning.ts';
import {
  firstLevel,
  isDefinedIn,
  isDrivable,
  mayEndBefore,
  nextLevel,
  recursionsIn,
  selectAll,
  type isInTerm,
  type Recursion,
} from './recursion.ts';
import { placeholder } from './statement.ts';
import { readsLevel, type Growing, type RecursionStep, type Step } from './steps.ts';

/** Recursions that are computed level by level, each with the keys of the one before. */
export class Driving {
  readonly #planning: Planning;
  readonly #hydrate: (lookups: readonly Lookup[]) => Lookup | undefined;
  readonly #driven = new Map<RecursionStep, Recursion>();

  /** @param hydrate adds the steps that look all of them up; returns one that nothing bounds */
  constructor(planning: Planning, hydrate: (lookups: readonly Lookup[]) => Lookup | undefined) {
    this.#planning = planning;
    this.#hydrate = hydrate;
  }

  /** Those that are not part of one another, each computed once where it stands. */
  recursions(): readonly Recursion[] {
    const { statement, term } = this.#planning;
    const all = recursionsIn(statement).filter(
      ({ level }) => term === undefined || (level !== term && isWithin(level, term)),
    );
    const outermost = all.filter(({ level }) => !all.some((other) => isWithin(level, other.term)));
    return outermost.filter(
      (recursion) => isDrivable(recursion, statement) && (!isMarked(recursion) || isMarkable(recursion, statement)),
    );
  }

  /** @returns one that nothing bounds */
  driveAny(recursions: readonly Recursion[], pending: readonly Lookup[], isOwn: typeof isInTerm): Lookup | undefined {
    const { statement, hydrated } = this.#planning;
    for (const recursion of recursions) {
      const missing = [...statement.referencesIn(recursion.term.select)].filter(
        (reference) => !hydrated.has(reference),
      );
      const own = pending.filter(({ reference }) => missing.includes(reference) && isOwn(reference, recursion));
      if (own.length === 0 || own.length < missing.length) continue;
      const failed = this.#drive(recursion, own);
      if (failed !== undefined) return failed;
    }
    return undefined;
  }

  /**
   * `select … from r limit 3` may end where r alone does not, and so would `select distinct key from r` not. Such a
   * recursion is driven for as long as the statement needs it, or read once, which ends after so many rows.
   */
  endRecursions(queries: readonly SelectStmt[] | undefined): boolean {
    const { statement } = this.#planning;
    let ended = false;
    for (const recursion of queries === undefined ? [] : this.recursions()) {
      if (isMarked(recursion)) continue;
      const { node, level } = recursion.cte;
      const query = bare(node.ctequery, 'SelectStmt');
      if (!isDefinedIn(node, queries) || query === undefined || !mayEndBefore(recursion, statement)) continue;
      if (endsByLimit(recursion, statement)) this.#drive(recursion, []);
      else if (level?.parent !== undefined && isAlone(query, level.parent, this.#planning))
        node.ctequery = evaluate(query, node.ctequery, this.#planning, recursion.cte) ?? { SelectStmt: query };
      ended ||= bare(node.ctequery, 'SelectStmt') !== query;
    }
    return ended;
  }

  /** Where the statement reads what a step gives, if in one place alone. */
  mentionOf(step: Growing): Item | undefined {
    if (step.kind === 'lookup') return step.reference.item;
    const driven = this.#driven.get(step);
    const [only, ...others] = driven?.cte.references.filter((item) => item !== driven.self) ?? [];
    return others.length === 0 ? only : undefined;
  }

  /** A recursion whose look-ups are all that its recursive term still lacks. @returns one that nothing bounds */
  #drive(recursion: Recursion, lookups: readonly Lookup[]): Lookup | undefined {
    const planning = this.#planning;
    const { statement } = planning;
    const { cte, base, term, self, level } = recursion;
    const text = structuredClone(cte.node.ctequery);
    evaluateCtes([{ SelectStmt: base }, { SelectStmt: term.select }], planning);
    const others = [...statement.ctesIn(cte.node.ctequery)].filter((other) => other !== cte);
    if (text === undefined || others.some(({ node }) => planning.isUnrepeatable(node, level))) return undefined;
    const working = planning.newLevel();
    const undo = statement.standIn(self, placeholder('level', working));
    const { steps, failed } = this.#inTerm(recursion, lookups);
    if (failed !== undefined) return failed;
    if (lookups.length > 0 && !steps.some((step) => readsLevel(step, working))) {
      // Its keys are the same at each level: PostgreSQL recurses itself.
      undo();
      planning.working.delete(self);
      planning.steps.push(...steps);
      return undefined;
    }
    const [first, next] = [base, term.select].map((query) => withCtes(query, statement, planning.isReadable));
    if (first === undefined || next === undefined) return lookups[0];
    // What a view is made of is not replaced in the text either. What PostgreSQL computes again must be the same.
    const isKept = isMarked(recursion) || (lookups.length > 0 && !isInText(text));
    const both = [{ SelectStmt: first }, { SelectStmt: next }];
    if (isKept && both.some((query) => planning.isUnrepeatable(query, level))) return lookups[0];
    const id = planning.newLevel();
    const [start, goOn] = isMarked(recursion)
      ? [markedBase(first, recursion, statement), markedTerm(next, recursion, statement)]
      : [first, next];
    const step: RecursionStep = {
      kind: 'recursion',
      id,
      working,
      name: cte.name,
      columns: (cte.node.aliascolnames ?? []).map((name) => bare(name, 'String')?.sval ?? ''),
      base: deparse({ SelectStmt: firstLevel(start, recursion) }),
      term: deparse({ SelectStmt: nextLevel(goOn, recursion, working, id) }),
      steps,
      node: isKept ? undefined : text,
      ordinary: statement.readsOrdinaryRelations(both),
    };
    planning.steps.push(step);
    if (isKept) {
      undo();
      planning.working.delete(self);
      return undefined;
    }
    this.#driven.set(step, recursion);
    cte.node.ctequery = { SelectStmt: selectAll(id) };
    return undefined;
  }

  /** The steps of one level: what stands around it is done before. */
  #inTerm(
    { term, self }: Recursion,
    lookups: readonly Lookup[],
  ): { readonly steps: readonly Step[]; readonly failed: Lookup | undefined } {
    const planning = this.#planning;
    const around = { steps: planning.steps, term: planning.term };
    planning.steps = [];
    planning.term = term;
    planning.working.add(self);
    const failed = this.#hydrate(lookups);
    const { steps } = planning;
    planning.steps = around.steps;
    planning.term = around.term;
    return { steps, failed };
  }
}
