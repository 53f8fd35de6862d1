import type { FieldCondition, FilterPattern, SpaceDelimitedField } from './pattern.ts';
import { Scanner } from './scanner.ts';

/** `[ip, user, ..., status_code = 4* && status_code != 403, bytes > 1000]`. */
export function parseSpaceDelimited(text: string): FilterPattern {
  const scanner = new Scanner(text);
  scanner.expect('[');
  const fields: SpaceDelimitedField[] = [];
  do {
    scanner.skipSpace();
    fields.push(field(scanner));
    scanner.skipSpace();
  } while (scanner.take(','));
  scanner.expect(']');
  if (!scanner.atEnd) scanner.fail('the end');
  if (fields.filter((each) => each.kind === 'ellipsis').length > 1) scanner.fail('at most one ellipsis');
  return { kind: 'space_delimited', fields };
}

const NAME = /\$?[A-Za-z0-9_-]+/y;

function field(scanner: Scanner): SpaceDelimitedField {
  if (scanner.take('...') || scanner.take('…')) return { kind: 'ellipsis' };
  if (scanner.next === ',' || scanner.next === ']') return { kind: 'field', condition: undefined };
  if (scanner.match(/\$?[A-Za-z0-9_-]+(?=\s*[,\]])/y) !== undefined) return { kind: 'field', condition: undefined };
  return { kind: 'field', condition: or(scanner, { name: undefined }) };
}

/** All comparisons between two commas are on one field; the first one names it. */
interface FieldName {
  name: string | undefined;
}

function or(scanner: Scanner, name: FieldName): FieldCondition {
  return list('or', '||', and, scanner, name);
}

function and(scanner: Scanner, name: FieldName): FieldCondition {
  return list('and', '&&', operand, scanner, name);
}

function list(
  kind: 'and' | 'or',
  symbol: string,
  parse: (scanner: Scanner, name: FieldName) => FieldCondition,
  scanner: Scanner,
  name: FieldName,
): FieldCondition {
  const first = parse(scanner, name);
  const operands = [first];
  while (scanner.takeAfterSpace(symbol)) operands.push(parse(scanner, name));
  return operands.length === 1 ? first : { kind, operands };
}

function operand(scanner: Scanner, field: FieldName): FieldCondition {
  scanner.skipSpace();
  if (scanner.take('(')) {
    const inner = or(scanner, field);
    scanner.skipSpace();
    scanner.expect(')');
    return inner;
  }
  // The guide itself writes `w1=ERROR || W1=WARNING`.
  const name = (scanner.match(NAME) ?? scanner.fail('a field name')).toLowerCase();
  field.name ??= name;
  if (field.name !== name) scanner.fail(`a condition on the field ${field.name}`);
  scanner.skipSpace();
  const operator = scanner.operator() ?? scanner.fail('an operator');
  scanner.skipSpace();
  const value = scanner.value();
  if (operator !== '=' && operator !== '!=' && (value.kind === 'regex' || value.number === undefined)) {
    scanner.fail(`a number after ${operator}`);
  }
  return { kind: 'compare', operator, value };
}
