import type { Condition } from './condition.ts';
import type { Fields } from './field.ts';
import type { Detection, Item } from './item.ts';
import { itemCondition, itemValue } from './item-sql.ts';
import { anyOf, both, jsonObject, knownMembers, list } from './sql-text.ts';

export type Selections = ReadonlyMap<string, Detection>;

/** A rule's condition over a row `e`. Sigma has no third truth value: what is unknown is false, and its negation true. */
export function ruleCondition(condition: Condition, selections: Selections, fields: Fields): string {
  switch (condition.kind) {
    case 'selection':
      return detectionCondition(selectionOf(condition.name, selections), fields);
    case 'and':
      return both(condition.of.map((each) => ruleCondition(each, selections, fields)));
    case 'or':
      return anyOf(condition.of.map((each) => ruleCondition(each, selections, fields)));
    case 'at least': {
      const terms = condition.of.map((each) => `(${ruleCondition(each, selections, fields)} is true)::integer`);
      return `(${terms.join(' + ')}) >= ${condition.count}`;
    }
    case 'not': {
      const field = nullTest(condition.of, selections);
      if (field !== undefined) return fields(field).isNotNull;
      return `(${ruleCondition(condition.of, selections, fields)}) is not true`;
    }
  }
}

/** The field that is null, where that is all that is asked. */
function nullTest(condition: Condition, selections: Selections): string | undefined {
  if (condition.kind !== 'selection') return undefined;
  const detection = selectionOf(condition.name, selections);
  if (detection.kind !== 'item' || detection.item.negated) return undefined;
  const [match, second] = detection.item.all.flat();
  return match?.kind === 'null' && second === undefined ? detection.item.field : undefined;
}

function detectionCondition(detection: Detection, fields: Fields): string {
  switch (detection.kind) {
    case 'item':
      return itemCondition(detection.item, fields);
    case 'all':
      return both(detection.of.map((each) => detectionCondition(each, fields)));
    case 'any':
      return anyOf(detection.of.map((each) => detectionCondition(each, fields)));
  }
}

/**
 * Why a row matched, as jsonb: by each selection that it satisfies and that the condition does not exclude, the fields that the
 * selection asks for, with what they were; of a list, the maps that it satisfies.
 */
export function matchedSelections(condition: Condition, selections: Selections, fields: Fields): string {
  return knownMembers(
    [...wantedIn(condition)].map((name) => {
      const detection = selectionOf(name, selections);
      return [
        name,
        `case when ${detectionCondition(detection, fields)} then ${reasons(detection, fields)} end`,
      ] as const;
    }),
  );
}

function reasons(detection: Detection, fields: Fields): string {
  switch (detection.kind) {
    case 'item':
      return objectOf([detection.item], fields);
    case 'all': {
      const items = detection.of.flatMap((each) => (each.kind === 'item' ? [each.item] : []));
      return objectOf(items, fields);
    }
    case 'any': {
      const maps = detection.of.map(
        (each) => `case when ${detectionCondition(each, fields)} then ${reasons(each, fields)} end`,
      );
      return `to_jsonb(array_remove(array[${list(maps)}], null))`;
    }
  }
}

function objectOf(items: readonly Item[], fields: Fields): string {
  return jsonObject(items.map((item) => [item.key === '' ? 'record' : item.key, itemValue(item, fields)] as const));
}

/** Those that are not below an odd number of `not`. */
function wantedIn(condition: Condition, wanted = true, found = new Set<string>()): ReadonlySet<string> {
  switch (condition.kind) {
    case 'selection':
      if (wanted) found.add(condition.name);
      break;
    case 'not':
      wantedIn(condition.of, !wanted, found);
      break;
    case 'and':
    case 'or':
    case 'at least':
      for (const each of condition.of) wantedIn(each, wanted, found);
  }
  return found;
}

function selectionOf(name: string, selections: Selections): Detection {
  const detection = selections.get(name);
  if (detection === undefined) throw new Error(`no selection ${name}`);
  return detection;
}
