import type { Column } from '../catalog/table.ts';
import type { SelectStmt } from '@pgsql/types';
import { alternativesFor, type Alternative, type Binding } from './bindings.ts';
import { asKey, keyQuery, PLAIN_TEXT } from './key-query.ts';
import type { Reading } from './frames.ts';
import { isExpressionOnly, sourceOf } from './key-source.ts';
import { bare } from '../sql/walk.ts';
import type { OpenCondition } from './condition-trees.ts';
import { call, castTo } from './nodes.ts';
import type { Restrictions } from './restrictions.ts';
import type { Reference } from './statement.ts';

/** Values that rows of the statement give for an input column of a look-up, as queries of one column of text each. */
export interface InputQueries {
  readonly column: Column;
  /** Undefined: they stand beside the keys that they are asked with, in the look-up's own queries. */
  readonly queries: readonly SelectStmt[] | undefined;
}

/** The queries of a look-up's keys and of its inputs. */
export interface KeysWithInputs {
  /** With inputs beside them, each row is a JSON array of a key and a value. */
  readonly keys: readonly SelectStmt[];
  readonly inputs: readonly InputQueries[];
}

/** pg_type's names of the types that values are computed for. */
const TYPES: Readonly<Record<string, string>> = { integer: 'int4', bigint: 'int8', text: 'text' };

/**
 * The values of input columns, which are asked for with the keys of the same rows where both come from expressions of one
 * level, and otherwise with every key.
 *
 * @param columns those by which the statement chooses rows, and of which no constant says the values
 * @returns undefined where something must be known first
 */
export function withInputQueries(
  reference: Reference,
  columns: readonly Column[],
  key: { readonly column: Column; readonly alternative: Alternative; readonly queries: readonly SelectStmt[] },
  reading: Reading,
): KeysWithInputs | undefined {
  let keys = key.queries;
  const inputs: InputQueries[] = [];
  for (const column of columns) {
    const alternatives = inputAlternatives(reference, column, reading);
    // Refused when it is known whether any row counts.
    if (alternatives.length === 0) continue;
    const [only, ...others] = columns;
    const paired = only === column && others.length === 0 ? pairedQuery(key, column, alternatives, reading) : undefined;
    if (paired !== undefined) {
      keys = [paired];
      inputs.push({ column, queries: undefined });
      continue;
    }
    const queries = alternatives.map((each) => queriesOf(each, reading)).find((found) => found !== undefined);
    if (queries !== undefined) inputs.push({ column, queries });
    else if (reading.haste !== 'widened') return undefined;
  }
  return { keys, inputs };
}

/** Whether constants around a reference may say the values of a column. */
export function mayHaveConstants(column: Column, { predicates, conditions }: Restrictions): boolean {
  const isSaid = (condition: OpenCondition): boolean => {
    switch (condition.kind) {
      case 'predicate':
        return condition.predicate.column === column && condition.predicate.operator === '=';
      case 'and':
        return condition.of.some(isSaid);
      case 'or':
        return condition.of.every(isSaid);
      case 'constant':
      case 'unknown':
        return false;
    }
  };
  return predicates.some((each) => each.column === column && each.operator === '=') || conditions.some(isSaid);
}

function inputAlternatives({ item, view }: Reference, column: Column, { statement }: Reading): readonly Alternative[] {
  const type = TYPES[column.type];
  const index = view.columns.findIndex((candidate) => candidate.column === column);
  const name = statement.names.columnsOf(item).names[index];
  if (type === undefined || name === undefined) return [];
  const site = { item, column: name, nullable: column.defaultValue === undefined };
  // An empty subquery would not be the same answer.
  return alternativesFor(site, type, statement).filter((each) => each.every(({ padded }) => padded === undefined));
}

function queriesOf(alternative: Alternative, reading: Reading): readonly SelectStmt[] | undefined {
  const queries = alternative.map((binding) => keyQuery(ofOtherName(binding), PLAIN_TEXT, reading));
  return queries.every((query) => query !== undefined) ? queries : undefined;
}

function pairedQuery(
  key: { readonly column: Column; readonly alternative: Alternative },
  column: Column,
  alternatives: readonly Alternative[],
  reading: Reading,
): SelectStmt | undefined {
  for (const alternative of alternatives) {
    const pair = pairOf(key.alternative, key.column.type, alternative);
    const query = pair && keyQuery(pair, PLAIN_TEXT, reading);
    if (query !== undefined) return query;
  }
  return undefined;
}

/** Both of one row, where each is an expression of the level in which they are bounded. */
function pairOf(keys: Alternative, keyType: string, values: Alternative): Binding | undefined {
  const [[key, ...moreKeys], [value, ...moreValues]] = [keys, values];
  if (key === undefined || value === undefined || moreKeys.length + moreValues.length > 0) return undefined;
  const [one, two] = [expressionOf(key), expressionOf(value)];
  if (one === undefined || two === undefined || key.site.item !== value.site.item) return undefined;
  if (key.standpoint.kind !== 'item' || value.standpoint.kind !== 'item') return undefined;
  const typed = asKey(one, keyType);
  const text = keyType === 'inet' ? call('host', [typed]) : castTo(typed, 'text');
  const both = castTo(call('json_build_array', [text, castTo(two, 'text')]), 'text');
  const optional = new Set([...(key.standpoint.optional ?? []), ...(value.standpoint.optional ?? [])]);
  return ofOtherName({
    site: key.site,
    sources: [sourceOf(both, key.site.item.level)],
    condition: undefined,
    standpoint: { ...key.standpoint, ...(optional.size > 0 ? { optional } : {}) },
  });
}

function expressionOf({ site, sources, padded }: Binding) {
  const [source, ...others] = sources;
  if (source === undefined || others.length > 0 || padded !== undefined) return undefined;
  if (source.level !== site.item.level || source.when.length > 0 || !isExpressionOnly(source.query)) return undefined;
  return bare(source.query.targetList?.[0], 'ResTarget')?.val;
}

/** The values are no column of the item's type: no condition on the column may be read as one on them. */
export function ofOtherName(binding: Binding): Binding {
  return { ...binding, site: { ...binding.site, column: 'trailhound_key' } };
}
