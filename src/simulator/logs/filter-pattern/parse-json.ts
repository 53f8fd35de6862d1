import { ANY, InvalidFilterPattern } from './pattern.ts';
import type { FilterPattern, JsonExpression, Selector, SelectorStep } from './pattern.ts';
import { Scanner } from './scanner.ts';

/** The guide: one wildcard selector in a property selector, three in a pattern. */
const MAX_WILDCARDS = 3;

/** `{ $.eventName = "CreateUser" && ($.errorCode NOT EXISTS || $.n >= 5) }`. */
export function parseJsonPattern(text: string): FilterPattern {
  const scanner = new Scanner(text);
  scanner.expect('{');
  const wildcards = { count: 0 };
  const expression = or(scanner, wildcards);
  scanner.skipSpace();
  scanner.expect('}');
  if (!scanner.atEnd) scanner.fail('the end');
  if (wildcards.count > MAX_WILDCARDS) {
    throw new InvalidFilterPattern('a filter pattern can hold three wildcard selectors');
  }
  return { kind: 'json', expression };
}

interface Wildcards {
  count: number;
}

function or(scanner: Scanner, wildcards: Wildcards): JsonExpression {
  return list('or', '||', and, scanner, wildcards);
}

function and(scanner: Scanner, wildcards: Wildcards): JsonExpression {
  return list('and', '&&', operand, scanner, wildcards);
}

function list(
  kind: 'and' | 'or',
  symbol: string,
  parse: (scanner: Scanner, wildcards: Wildcards) => JsonExpression,
  scanner: Scanner,
  wildcards: Wildcards,
): JsonExpression {
  const first = parse(scanner, wildcards);
  const operands = [first];
  while (scanner.takeAfterSpace(symbol)) operands.push(parse(scanner, wildcards));
  return operands.length === 1 ? first : { kind, operands };
}

function operand(scanner: Scanner, wildcards: Wildcards): JsonExpression {
  scanner.skipSpace();
  if (scanner.take('(')) {
    const inner = or(scanner, wildcards);
    scanner.skipSpace();
    scanner.expect(')');
    return inner;
  }
  const path = selector(scanner);
  if (path.includes(ANY)) wildcards.count += 1;
  scanner.skipSpace();
  const operator = scanner.operator();
  if (operator !== undefined) {
    scanner.skipSpace();
    const value = scanner.value();
    if (operator !== '=' && operator !== '!=' && (value.kind === 'regex' || value.number === undefined)) {
      scanner.fail(`a number after ${operator}`);
    }
    return { kind: 'compare', selector: path, operator, value };
  }
  if (scanner.match(/NOT\s+EXISTS\b/iy) !== undefined) return { kind: 'not_exists', selector: path };
  if (scanner.match(/IS\s+/iy) !== undefined) {
    if (scanner.match(/NULL\b/iy) !== undefined) return { kind: 'is', selector: path, constant: null };
    if (scanner.match(/TRUE\b/iy) !== undefined) return { kind: 'is', selector: path, constant: true };
    if (scanner.match(/FALSE\b/iy) !== undefined) return { kind: 'is', selector: path, constant: false };
    scanner.fail('NULL, TRUE or FALSE');
  }
  return scanner.fail('an operator');
}

/** `$.a-b_c[0].d`, `$.a[*]`, `$.*`, `$.['cluster.name']`. */
function selector(scanner: Scanner): Selector {
  scanner.expect('$');
  const steps: SelectorStep[] = [];
  for (;;) {
    if (scanner.take(".['") || scanner.take("['")) {
      steps.push(scanner.match(/[^']+/y) ?? scanner.fail('a property name'));
      scanner.expect("']");
    } else if (scanner.take('.*') || scanner.take('[*]')) {
      steps.push(ANY);
    } else if (scanner.take('.')) {
      steps.push(scanner.match(/[A-Za-z0-9_-]+/y) ?? scanner.fail('a property name'));
    } else if (steps.length > 0 && scanner.take('[')) {
      steps.push(Number(scanner.match(/\d+/y) ?? scanner.fail('an array index')));
      scanner.expect(']');
    } else break;
  }
  if (steps.length === 0) scanner.fail('a property selector');
  if (steps.filter((step) => step === ANY).length > 1) {
    throw new InvalidFilterPattern('a property selector can hold one wildcard');
  }
  return steps;
}
