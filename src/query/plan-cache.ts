import type { Node, RangeVar } from '@pgsql/types';
import { BoundedCache } from '../kernel/bounded-cache.ts';
import { functionNames } from '../planner/dependencies.ts';
import { planStatement, type Planned } from '../planner/plan.ts';
import { restrictionsOf, type Restrictions } from '../planner/restrictions.ts';
import { relationName } from '../planner/relation-facts.ts';
import { Statement, type Reference } from '../planner/statement.ts';
import { modificationOf } from '../sql/modification.ts';
import { parseStatements } from '../sql/parse.ts';
import { classify, type Classified } from '../sql/statement.ts';
import { bare, walk } from '../sql/walk.ts';
import type { PlanningFacts } from './facts.ts';
import { settingsIn } from './misspelt-settings.ts';
import { tracesOf, type Traces } from './traces.ts';

/** What a text says by itself. Shared between statements: never changed. */
export interface Reading {
  readonly classified: Classified;
  /** Every relation that is named anywhere, CTEs' names included: asking for one too many does no harm. */
  readonly relations: readonly string[];
  /** The same without their schemas and quotes. */
  readonly unqualified: ReadonlySet<string>;
  readonly functions: readonly string[];
  /** That it sets. */
  readonly settings: readonly string[];
  readonly traces: Traces;
}

/** What planning makes of a text and of what its names mean. Shared between sessions and roles: never changed. */
export interface Analysis {
  /** Planned already: its tree has been renamed and replaced in. */
  readonly statement: Statement;
  readonly restrictions: ReadonlyMap<Reference, Restrictions>;
  readonly planned: Planned;
}

export interface PlanCacheCounts {
  /** Texts that were parsed. */
  readonly read: number;
  /** Statements that were analysed and planned. */
  readonly analysed: number;
}

/** Trees, scopes, and names by node; measured over statements of 0.2 to 10 kB: 60 to 130 bytes a character. */
const ANALYSIS_SIZE = 130;

/**
 * Readings and plans of recent statements. Privileges, settings, values and rows are no part of them: a plan says what
 * would be asked, for any role whose names mean the same relations.
 */
export class PlanCache {
  readonly #readings = new BoundedCache<{ readonly reading: Reading | undefined }>({
    entries: 2_000,
    bytes: 8 * 1024 * 1024,
  });
  readonly #analyses = new BoundedCache<{ readonly analysis: Analysis | undefined }>({
    entries: 2_000,
    bytes: 64 * 1024 * 1024,
  });
  #read = 0;
  #analysed = 0;

  get counts(): PlanCacheCounts {
    return { read: this.#read, analysed: this.#analysed };
  }

  /** Undefined where PostgreSQL's grammar refuses it. */
  read(text: string): Reading | undefined {
    let known = this.#readings.get(text);
    if (known === undefined) {
      this.#read += 1;
      known = { reading: readingOf(text) };
      this.#readings.set(text, known, 2 * text.length);
    }
    return known.reading;
  }

  /** `text`: the reading's own. Undefined: no reference to a virtual table is to be replaced in it. */
  analyse(text: string, { classified }: Reading, facts: PlanningFacts): Analysis | undefined {
    // Two statements never share a key: JSON has no line break between its members, a text of SQL may end in anything.
    const key = `${factsText(facts)}\n${text}`;
    let known = this.#analyses.get(key);
    if (known === undefined) {
      this.#analysed += 1;
      known = { analysis: analysisOf(classified.query, facts) };
      this.#analyses.set(key, known, 2 * key.length + ANALYSIS_SIZE * text.length);
    }
    return known.analysis;
  }
}

function readingOf(text: string): Reading | undefined {
  const [parsed] = parseStatements(text) ?? [];
  if (parsed === undefined) return undefined;
  const { node } = parsed;
  const mentions = rangeVarsIn(node);
  return {
    classified: classify(node),
    relations: [...new Set(mentions.map(relationName))],
    unqualified: new Set(mentions.flatMap(({ relname }) => relname ?? [])),
    functions: [...new Set(functionNames(node))],
    settings: settingsIn(node),
    traces: tracesOf(node),
  };
}

function rangeVarsIn(node: Node): RangeVar[] {
  const found: RangeVar[] = [];
  walk(node, (inner, kind) => {
    // The target of INSERT, UPDATE, DELETE and MERGE is no node of its own.
    const rangeVar = kind === 'RangeVar' ? bare(inner, 'RangeVar') : modificationOf(inner)?.target;
    if (rangeVar?.relname !== undefined) found.push(rangeVar);
    return undefined;
  });
  return found;
}

/** @param given which of the references have their rows already */
export function analysisOf(
  query: Node | undefined,
  { relations, functions }: PlanningFacts,
  given: (reference: Reference) => boolean = () => false,
): Analysis | undefined {
  if (query === undefined) return undefined;
  const statement = new Statement(query, relations, functions);
  if (statement.references.length === 0 || statement.changesView || statement.isAmbiguous) return undefined;
  const restrictions = new Map(
    statement.references.map((reference) => [reference, restrictionsOf(reference, statement)]),
  );
  const planned = planStatement(statement, restrictions, new Set(statement.references.filter(given)));
  return { statement, restrictions, planned };
}

/** All that planning reads but the text, whatever it consists of. A view of ours is what its oid says. */
function factsText(facts: PlanningFacts): string {
  return JSON.stringify(facts, (name, value: unknown) => {
    if (value instanceof Set || value instanceof Map) return Array.from(value as Iterable<unknown>);
    return name === 'view' && value !== undefined ? true : value;
  });
}
