import type { Column } from '../catalog/table.ts';
import { isWithin, type Item, type Level } from '../sql/scope.ts';
import { dependenciesOf } from './dependencies.ts';
import type { Reference, Statement } from './statement.ts';
import type { Step } from './steps.ts';

/** A reference with a required key. */
export interface Lookup {
  readonly reference: Reference;
  readonly key: Column;
}

/** A plan in the making: its steps so far, and what of the statement can be read once they are done. */
export class Planning {
  readonly statement: Statement;
  readonly hydrated = new Set<Reference>();
  /** Inside of a recursion that is driven: those of each level. */
  steps: Step[] = [];
  /** The recursive term of that recursion. */
  term: Level | undefined;
  /** The mentions of recursions in their own terms, while those are planned. */
  readonly working = new Set<Item>();
  #levels = 0;

  constructor(statement: Statement) {
    this.statement = statement;
  }

  /** A number for rows that stand for a level: its placeholder has it. */
  newLevel(): number {
    this.#levels += 1;
    return this.#levels - 1;
  }

  readonly isReadable = (item: Item): boolean => {
    const own = this.statement.referenceOf(item);
    if (own !== undefined) return this.hydrated.has(own);
    if (this.working.has(item)) return true;
    const value = contentOf(item);
    return this.isHydrated(value) && !this.isOnce(item) && (item.cte === undefined || item.cte.level !== undefined);
  };

  isHydrated(value: unknown): boolean {
    return [...this.statement.referencesIn(value)].every((reference) => this.hydrated.has(reference));
  }

  /** Whether the rows of an item must not be computed twice. */
  isOnce(item: Item): boolean {
    if (this.working.has(item)) return false;
    return 'RangeTableSample' in item.node || this.isUnrepeatable(contentOf(item), item.level);
  }

  isUnrepeatable(value: unknown, level: Level): boolean {
    return dependenciesOf(value, level, this.statement).unrepeatable;
  }

  /** Whether a level is computed with the steps that are being planned, and not once before or after them. */
  isHere(level: Level): boolean {
    return this.term === undefined || isWithin(level, this.term);
  }
}

/** What an item reads: a CTE's query for a mention of it. */
function contentOf(item: Item): unknown {
  return item.cte === undefined ? item.node : item.cte.node;
}
