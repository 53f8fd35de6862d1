import type { Column } from '../catalog/table.ts';
import type { Condition } from './source.ts';

export function columnsOf(condition: Condition): readonly Column[] {
  return condition.kind === 'predicate' ? [condition.predicate.column] : condition.of.flatMap(columnsOf);
}
