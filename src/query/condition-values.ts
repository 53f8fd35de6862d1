import type { Column } from '../catalog/table.ts';
import type { OpenCondition } from '../planner/condition-trees.ts';
import type { Condition, Predicate } from '../sources/source.ts';

/** What has values: they are computed in this order. */
export type Leaf = Extract<OpenCondition, { kind: 'predicate' | 'constant' }>;

export function leavesOf(condition: OpenCondition): readonly Leaf[] {
  switch (condition.kind) {
    case 'predicate':
    case 'constant':
      return [condition];
    case 'and':
    case 'or':
      return condition.of.flatMap(leavesOf);
    case 'unknown':
      return [];
  }
}

/** 'never': no row satisfies it; 'always': every one may; 'unknown': so may any, for a source that cannot be told. */
type Closed = Condition | 'never' | 'always' | 'unknown';

/** @param value of each leaf, asked for in the order of {@link leavesOf}; several are true together */
export function closeCondition(
  condition: OpenCondition,
  value: (leaf: Leaf) => Predicate | readonly Predicate[] | 'never' | 'always' | 'unknown',
): Closed {
  switch (condition.kind) {
    case 'predicate':
    case 'constant': {
      const closed = value(condition);
      if (typeof closed === 'string') return closed;
      const all = [closed].flat().map((predicate): Condition => ({ kind: 'predicate', predicate }));
      return joined('and', all) ?? 'always';
    }
    case 'and': {
      const of = condition.of.map((each) => closeCondition(each, value));
      if (of.includes('never')) return 'never';
      return joined('and', of) ?? (of.includes('unknown') ? 'unknown' : 'always');
    }
    case 'or': {
      const of = condition.of.map((each) => closeCondition(each, value));
      if (of.includes('always')) return 'always';
      if (of.includes('unknown')) return 'unknown';
      return joined('or', of) ?? 'never';
    }
    case 'unknown':
      return 'unknown';
  }
}

/** The values of which a column has one wherever a condition is true; undefined: it may have others. */
export function valuesWhere(condition: Condition, column: Column): readonly string[] | undefined {
  switch (condition.kind) {
    case 'predicate': {
      const { column: own, steps, operator, values } = condition.predicate;
      return own === column && steps === undefined && operator === '=' ? values : undefined;
    }
    case 'and':
      return condition.of.map((each) => valuesWhere(each, column)).find((values) => values !== undefined);
    case 'or': {
      const found = condition.of.map((each) => valuesWhere(each, column));
      return found.every((values) => values !== undefined) ? [...new Set(found.flat())] : undefined;
    }
  }
}

function joined(kind: 'and' | 'or', of: readonly Closed[]): Condition | undefined {
  const known = of.filter((each) => typeof each === 'object');
  const [only] = known;
  return known.length < 2 ? only : { kind, of: known };
}
