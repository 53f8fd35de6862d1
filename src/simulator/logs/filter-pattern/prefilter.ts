import type { FilterPattern, JsonExpression, Term, Value } from './pattern.ts';

/**
 * Texts of which a message must hold at least one to be matched; undefined where nothing of the kind is known. It
 * spares most messages their JSON.parse. A JSON text may write any character as `\u….`: a message that holds such an
 * escape must be evaluated whatever it holds.
 */
export function necessaryTexts(pattern: FilterPattern): readonly string[] | undefined {
  switch (pattern.kind) {
    case 'everything':
    case 'space_delimited':
      return undefined;
    case 'terms':
      return firstKnown(pattern.required.map(ofTerm));
    case 'json':
      return ofExpression(pattern.expression);
  }
}

/** Stands in a JSON text as itself, but for `\u` escapes. */
const PLAIN = /^[A-Za-z0-9_.:-]{2,}$/;

function ofTerm(term: Term): readonly string[] | undefined {
  return term.kind === 'text' && PLAIN.test(term.text) ? [term.text] : undefined;
}

function ofExpression(expression: JsonExpression): readonly string[] | undefined {
  switch (expression.kind) {
    case 'and':
      return firstKnown(expression.operands.map(ofExpression));
    case 'or': {
      const all = expression.operands.map(ofExpression);
      return all.includes(undefined) ? undefined : all.flatMap((texts) => texts ?? []);
    }
    case 'compare':
      return expression.operator === '=' ? ofValue(expression.value) : undefined;
    case 'is':
    case 'not_exists':
      return undefined;
  }
}

/** A number has several spellings (`1e3`, `1000`), so an unquoted one tells nothing. */
function ofValue(value: Value): readonly string[] | undefined {
  if (value.kind === 'regex' || value.number !== undefined) return undefined;
  const text = value.text.replace(/^\*/, '').replace(/\*$/, '');
  return PLAIN.test(text) && !/^[\d.+-]+(e[\d+-]+)?$/i.test(text) ? [text] : undefined;
}

function firstKnown(all: readonly (readonly string[] | undefined)[]): readonly string[] | undefined {
  return all.find((texts) => texts !== undefined);
}
