import type { Node } from '@pgsql/types';
import { bare } from '../sql/walk.ts';
import { jsonPlace, operatorName, type JsonMention } from './json-paths.ts';
import { text } from './nodes.ts';
import type { ColumnOf, OpenPredicate } from './predicates.ts';

/**
 * What `column @> '{"a": {"b": "c"}}'` surely says of places within the column: less than it does. Of texts and booleans what they are;
 * of numbers, which have many texts, of arrays and of objects without members that there is something.
 */
export function containmentIn(node: Node, column: ColumnOf): readonly OpenPredicate[] {
  const { kind, lexpr, rexpr } = bare(node, 'A_Expr') ?? {};
  if (kind !== 'AEXPR_OP' || operatorName(node) !== '@>') return [];
  const place = jsonPlace(lexpr, column);
  const contained = constantJson(rexpr);
  return place !== undefined && isMembers(contained) ? within(place, contained) : [];
}

function within(place: JsonMention, members: Readonly<Record<string, unknown>>): readonly OpenPredicate[] {
  return Object.entries(members).flatMap(([name, value]) => {
    const inner = { column: place.column, steps: [...place.steps, name] };
    // NULL is no text, and neither is what is absent.
    if (value === null) return [];
    if (typeof value === 'string' || typeof value === 'boolean') return says(inner, '=', String(value));
    return isMembers(value) && Object.keys(value).length > 0 ? within(inner, value) : says(inner, 'is not null');
  });
}

function says(place: JsonMention, operator: OpenPredicate['operator'], ...values: string[]): readonly OpenPredicate[] {
  if (!place.column.operators.includes(operator)) return [];
  const nodes = values.map((sval) => ({ node: text(sval), list: false }));
  return [{ ...place, operator, values: nodes }];
}

function constantJson(node: Node | undefined): unknown {
  const cast = bare(node, 'TypeCast');
  const type = bare(cast?.typeName?.names?.at(-1), 'String')?.sval;
  const text = cast === undefined || type === 'jsonb' ? bare(cast?.arg ?? node, 'A_Const')?.sval?.sval : undefined;
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    // PostgreSQL says what is wrong with it.
    return undefined;
  }
}

function isMembers(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
