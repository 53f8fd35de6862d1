import type { Node, TypeCast } from '@pgsql/types';
import type { Column } from '../catalog/table.ts';
import { bare } from '../sql/walk.ts';
import type { ColumnOf } from './predicates.ts';

/** A place within a jsonb column, whose text is compared: names of members, numbers of elements; none: all of it, as PostgreSQL writes it. */
export interface JsonMention {
  readonly column: Column;
  readonly steps: readonly (string | number)[];
}

/** `column -> 'a' -> 0 ->> 'b'` and `column #>> '{a,b}'` with constant steps, `column::text` with none; undefined for anything else. */
export function jsonMention(node: Node | undefined, column: ColumnOf): JsonMention | undefined {
  const cast = bare(node, 'TypeCast');
  if (cast !== undefined) {
    const own = isText(cast) ? column(cast.arg) : undefined;
    return own?.type === 'jsonb' ? { column: own, steps: [] } : undefined;
  }
  const expression = bare(node, 'A_Expr');
  if (expression?.kind !== 'AEXPR_OP') return undefined;
  const name = operatorName(node);
  const steps = name === '->>' ? stepIn(expression.rexpr) : name === '#>>' ? stepsIn(expression.rexpr) : undefined;
  // Element 0 of what is no array is that itself: of its text no place is known.
  if (steps === undefined || steps.at(-1) === 0) return undefined;
  const inner = jsonPlace(expression.lexpr, column);
  return inner && { column: inner.column, steps: [...inner.steps, ...steps] };
}

/** A jsonb column, or `column -> 'a'` and `column #> '{a,b}'` with constant steps. */
export function jsonPlace(node: Node | undefined, column: ColumnOf): JsonMention | undefined {
  const own = column(node);
  if (own !== undefined) return own.type === 'jsonb' ? { column: own, steps: [] } : undefined;
  const expression = bare(node, 'A_Expr');
  if (expression?.kind !== 'AEXPR_OP') return undefined;
  const name = operatorName(node);
  const steps = name === '->' ? stepIn(expression.rexpr) : name === '#>' ? stepsIn(expression.rexpr) : undefined;
  if (steps === undefined) return undefined;
  const inner = jsonPlace(expression.lexpr, column);
  return inner && { column: inner.column, steps: [...inner.steps, ...steps] };
}

export function operatorName(node: Node | undefined): string | undefined {
  const name = (bare(node, 'A_Expr')?.name ?? []).map((part) => bare(part, 'String')?.sval ?? '');
  return name.length === 1 || name[0] === 'pg_catalog' ? name.at(-1) : undefined;
}

function isText({ typeName }: TypeCast): boolean {
  const names = (typeName?.names ?? []).map((part) => bare(part, 'String')?.sval);
  const isPlain = (typeName?.typmods ?? []).length + (typeName?.arrayBounds ?? []).length === 0;
  return isPlain && names.at(-1) === 'text' && [undefined, 'pg_catalog'].includes(names.at(-2));
}

/** A member's name, or an element's number; from the end none counts here. */
function stepIn(node: Node | undefined): [string | number] | undefined {
  const constant = bare(node, 'A_Const');
  if (constant?.sval !== undefined) return [constant.sval.sval ?? ''];
  // In PostgreSQL's tree zero is left out.
  return constant?.ival === undefined ? undefined : [constant.ival.ival ?? 0];
}

/** A step of a path in text may be a member's name or an element's number: only what is no number is read. */
function stepsIn(node: Node | undefined): readonly string[] | undefined {
  const array = bare(node, 'A_ArrayExpr')?.elements;
  const texts =
    array?.map((element) => bare(element, 'A_Const')?.sval?.sval) ??
    /^\{([\w-]+(?:,[\w-]+)*)\}$/.exec(bare(node, 'A_Const')?.sval?.sval ?? '')?.[1]?.split(',');
  if (texts === undefined || texts.length === 0) return undefined;
  return texts.every((text) => text !== undefined && !/^[+-]?\d+$/.test(text)) ? (texts as string[]) : undefined;
}
