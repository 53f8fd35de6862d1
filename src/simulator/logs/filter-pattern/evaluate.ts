import { ANY } from './pattern.ts';
import type {
  ComparisonOperator,
  FieldCondition,
  FilterPattern,
  JsonExpression,
  Selector,
  SpaceDelimitedField,
  Term,
  Value,
} from './pattern.ts';

export interface EvaluationOptions {
  /**
   * What `!=` says of a field that is missing or null: AWS does not document it. False, the narrower reading, shows
   * any client that relies on the wider one.
   */
  readonly notEqualMatchesMissing?: boolean | undefined;
}

export type Matcher = (message: string) => boolean;

export function compileMatcher(pattern: FilterPattern, options: EvaluationOptions = {}): Matcher {
  switch (pattern.kind) {
    case 'everything':
      return () => true;
    case 'terms': {
      const { required, optional, excluded } = pattern;
      const anyOf = required.length + excluded.length > 0 ? [] : optional;
      return (message) =>
        required.every((term) => contains(message, term)) &&
        !excluded.some((term) => contains(message, term)) &&
        (anyOf.length === 0 || anyOf.some((term) => contains(message, term)));
    }
    case 'json':
      return (message) => {
        const record = parseObject(message);
        return record !== undefined && evaluate(pattern.expression, record, options);
      };
    case 'space_delimited':
      return (message) => matchFields(pattern.fields, splitFields(message));
  }
}

/** For who asks many patterns of the same records: only of JSON patterns is a record matched. */
export function matchesRecord(pattern: FilterPattern, record: object, options: EvaluationOptions = {}): boolean {
  return pattern.kind === 'json' && evaluate(pattern.expression, record, options);
}

function contains(message: string, term: Term): boolean {
  return term.kind === 'regex' ? term.regex.test(message) : message.includes(term.text);
}

function parseObject(message: string): object | undefined {
  try {
    const value: unknown = JSON.parse(message);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function evaluate(expression: JsonExpression, record: object, options: EvaluationOptions): boolean {
  switch (expression.kind) {
    case 'and':
      return expression.operands.every((operand) => evaluate(operand, record, options));
    case 'or':
      return expression.operands.some((operand) => evaluate(operand, record, options));
    case 'not_exists':
      return select(record, expression.selector, 0).length === 0;
    case 'is':
      return select(record, expression.selector, 0).some((node) => node === expression.constant);
    case 'compare': {
      const nodes = select(record, expression.selector, 0);
      if (nodes.length === 0) return expression.operator === '!=' && options.notEqualMatchesMissing === true;
      return nodes.some((node) => compareNode(node, expression.operator, expression.value, options));
    }
  }
}

/** The nodes that the selector points to: none, one, or with a wildcard several. */
function select(node: unknown, selector: Selector, from: number): unknown[] {
  const step = selector[from];
  if (step === undefined) return [node];
  if (typeof node !== 'object' || node === null) return [];
  if (step === ANY) return Object.values(node).flatMap((child) => select(child, selector, from + 1));
  if (typeof step === 'number' ? !Array.isArray(node) : Array.isArray(node)) return [];
  if (!Object.hasOwn(node, step)) return [];
  return select((node as Record<string | number, unknown>)[step], selector, from + 1);
}

/**
 * "Value nodes can be strings or numbers": objects, arrays, booleans compare with nothing, not even by `!=`. `= *` finds
 * whatever exists, says the CDK of `FilterPattern.exists`.
 */
function compareNode(node: unknown, operator: ComparisonOperator, value: Value, options: EvaluationOptions): boolean {
  if (operator === '=' && value.kind === 'literal' && value.text === '*') return true;
  if (typeof node === 'number') return compareNumber(node, operator, value);
  if (typeof node === 'string') return compareText(node, operator, value);
  return node === null && operator === '!=' && options.notEqualMatchesMissing === true;
}

function compareNumber(node: number, operator: ComparisonOperator, value: Value): boolean {
  if (value.kind === 'regex' || value.number === undefined) return compareText(String(node), operator, value);
  switch (operator) {
    case '=':
      return node === value.number;
    case '!=':
      return node !== value.number;
    case '<':
      return node < value.number;
    case '<=':
      return node <= value.number;
    case '>':
      return node > value.number;
    case '>=':
      return node >= value.number;
  }
}

function compareText(text: string, operator: ComparisonOperator, value: Value): boolean {
  switch (operator) {
    case '=':
      return matchesText(text, value);
    case '!=':
      return !matchesText(text, value);
    case '<':
    case '<=':
    case '>':
    case '>=':
      return false;
  }
}

/** An asterisk is a wildcard at the beginning and at the end only: `Ev*ent` is that very text. */
function matchesText(text: string, value: Value): boolean {
  if (value.kind === 'regex') return value.regex.test(text);
  const wanted = value.text;
  if (wanted === '*') return true;
  const open = wanted.startsWith('*');
  const close = wanted.endsWith('*');
  if (open && close) return text.includes(wanted.slice(1, -1));
  if (open) return text.endsWith(wanted.slice(1));
  if (close) return text.startsWith(wanted.slice(0, -1));
  return text === wanted;
}

/** Words; what stands between brackets or quotation marks is one field, without them. */
function splitFields(message: string): readonly string[] {
  return Array.from(
    message.matchAll(/\[([^\]]*)\]|"([^"]*)"|(\S+)/g),
    (found) => found[1] ?? found[2] ?? found[3] ?? '',
  );
}

function matchFields(fields: readonly SpaceDelimitedField[], words: readonly string[]): boolean {
  const ellipsis = fields.findIndex((field) => field.kind === 'ellipsis');
  if (ellipsis >= 0) {
    const before = fields.slice(0, ellipsis);
    const after = fields.slice(ellipsis + 1);
    return (
      words.length >= before.length + after.length &&
      matchEach(before, words) &&
      matchEach(after, words.slice(words.length - after.length))
    );
  }
  const last = fields.at(-1);
  // The guide's `[w1=ERROR, w2]` finds lines of many words: a last field without a condition takes all that remains.
  const open = last?.kind === 'field' && last.condition === undefined;
  return (open ? words.length >= fields.length : words.length === fields.length) && matchEach(fields, words);
}

function matchEach(fields: readonly SpaceDelimitedField[], words: readonly string[]): boolean {
  return fields.every(
    (field, index) =>
      field.kind === 'ellipsis' || field.condition === undefined || matchField(words[index] ?? '', field.condition),
  );
}

function matchField(word: string, condition: FieldCondition): boolean {
  switch (condition.kind) {
    case 'and':
      return condition.operands.every((operand) => matchField(word, operand));
    case 'or':
      return condition.operands.some((operand) => matchField(word, operand));
    case 'compare': {
      const { operator, value } = condition;
      const number = value.kind === 'literal' && value.number !== undefined ? Number(word) : Number.NaN;
      return Number.isNaN(number) ? compareText(word, operator, value) : compareNumber(number, operator, value);
    }
  }
}
