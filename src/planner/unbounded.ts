import type { Column } from '../catalog/table.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import type { Binding } from './bindings.ts';
import { bare, walk } from '../sql/walk.ts';
import { dependenciesOf } from './dependencies.ts';
import { rangeVarsIn } from './mentions.ts';
import type { Reference, Statement } from './statement.ts';
import type { Unbounded } from './steps.ts';

export interface Stuck {
  readonly reference: Reference;
  readonly key: Column;
  /** All that bounds it, if only it could be computed. */
  bindingsOf(reference: Reference): readonly Binding[];
  isHydrated(reference: Reference): boolean;
}

/** Why a key cannot be known before its table is asked. Before any call. */
export function unboundedBy(stuck: Stuck, statement: Statement): Unbounded {
  const { reference, key } = stuck;
  const { view } = reference;
  const found = stuck.bindingsOf(reference);
  const refused = (error: TrailhoundError): Unbounded => ({ unbounded: reference, key, error, clause: undefined });
  if (found.some((binding) => readsReturning(binding, statement))) {
    const before = `${view.name} is asked before the statement runs. Nothing was changed and no call was made.`;
    return refused(
      isOnConflict(reference, statement)
        ? new TrailhoundError('not_supported', 'keys cannot come from rows that ON CONFLICT finds', {
            detail: before,
            hint: 'Insert the rows first, and update those that were there in a second statement.',
          })
        : new TrailhoundError('not_supported', 'keys cannot come from RETURNING of the same statement', {
            detail: before,
            hint: 'Change the rows first, and ask about them in a second statement.',
          }),
    );
  }
  const message = `${view.name} needs a value for ${key.name}`;
  if (found.length === 0) {
    const what = key.type === 'inet' ? 'addresses' : 'values';
    const detail = `Nothing in this statement says which ${what} to look up. No call was made.`;
    const error = new TrailhoundError('unbounded_key', message, { detail });
    return { ...refused(error), clause: clauseFor(reference, key, statement) };
  }
  const circle = circleFrom(stuck, statement);
  const detail =
    circle === undefined
      ? 'What this statement says of it cannot be computed before the table is asked. No call was made.'
      : `Each waits for another: ${circle}. No call was made.`;
  return refused(new TrailhoundError('unbounded_key', message, { detail }));
}

/** Whether a reference stands in what INSERT does with rows that are there already. */
function isOnConflict({ item }: Reference, { node }: Statement): boolean {
  const found = new Set<unknown>();
  walk(node, (inner, kind) => {
    const conflict = kind === 'InsertStmt' ? bare(inner, 'InsertStmt')?.onConflictClause : undefined;
    if (conflict !== undefined) for (const rangeVar of rangeVarsIn(conflict)) found.add(rangeVar);
    return undefined;
  });
  return item.rangeVar !== undefined && found.has(item.rangeVar);
}

function readsReturning({ sources }: Binding, statement: Statement): boolean {
  return sources.some(({ query, level }) => {
    const { items } = dependenciesOf({ SelectStmt: query }, level, statement);
    const ctes = [...statement.ctesIn({ SelectStmt: query }), ...[...items].flatMap(({ cte }) => cte ?? [])];
    return ctes.some((cte) => cte.level === undefined) || [...items].some((read) => read.kind === 'changed');
  });
}

/** Look-ups that take their keys from one another, as `a takes its values from b, b takes its values from a`. */
function circleFrom(stuck: Stuck, statement: Statement): string | undefined {
  const said: string[] = [];
  const seen = new Set<Reference>();
  for (let at = stuck.reference; !seen.has(at);) {
    seen.add(at);
    const [next] = waitsFor(at, stuck, statement);
    if (next === undefined) return undefined;
    said.push(`${nameOf(at)} takes its values from ${nameOf(next)}`);
    at = next;
  }
  return said.length > 1 ? said.join(', ') : undefined;
}

function waitsFor(reference: Reference, stuck: Stuck, statement: Statement): readonly Reference[] {
  const read = stuck.bindingsOf(reference).flatMap(({ sources }) =>
    sources.flatMap(({ query, level }) => {
      const { items, references } = dependenciesOf({ SelectStmt: query }, level, statement);
      return [...references, ...[...items].flatMap((item) => statement.referenceOf(item) ?? [])];
    }),
  );
  return [...new Set(read)].filter((other) => other !== reference && !stuck.isHydrated(other));
}

/** A column beside it that has the key's type: most likely what the join was to be on. */
function clauseFor(reference: Reference, key: Column, statement: Statement): string | undefined {
  const own = columnOf(reference, (column) => column === key, statement);
  if (own === undefined || reference.item.name === undefined || reference.below) return undefined;
  for (const other of statement.references) {
    if (other.item.level !== reference.item.level || other.view.table.kind !== 'scan') continue;
    const theirs = columnOf(other, (column) => column.type === key.type && column.key !== 'input', statement);
    if (theirs !== undefined && other.item.name !== undefined)
      return `${reference.item.name}.${own} = ${other.item.name}.${theirs}`;
  }
  return undefined;
}

/** The name under which the statement knows a column of a reference. */
function columnOf(reference: Reference, is: (column: Column) => boolean, statement: Statement): string | undefined {
  const position = reference.view.columns.findIndex(({ column }) => column !== undefined && is(column));
  return statement.names.columnsOf(reference.item).names[position];
}

function nameOf({ item, view }: Reference): string {
  return item.name ?? view.name;
}
