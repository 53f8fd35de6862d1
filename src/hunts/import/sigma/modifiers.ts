import { Buffer } from 'node:buffer';
import { isIPv4, isIPv6 } from 'node:net';
import { UnreadableRule } from '../unreadable-rule.ts';
import type { Comparison, Item, Match, Place, TimePart } from './item.ts';
import { postgresRegularExpression } from './regular-expression.ts';
import {
  type SigmaText,
  parseSigmaText,
  plainText,
  replaced,
  textWithoutWildcards,
  withAnyAfter,
  withAnyBefore,
} from './sigma-text.ts';

/**
 * A value on its way through its modifiers, in the order in which they stand: Sigma Modifiers, 2.1.0. What the specification leaves
 * open is as in pySigma.
 */
type Value =
  | { readonly kind: 'text'; readonly text: SigmaText; readonly cased: boolean }
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | {
      readonly kind: 'regular expression';
      readonly source: string;
      readonly flags: string;
      readonly place: Place;
    }
  | { readonly kind: 'field'; readonly name: string; readonly place: Place; readonly cased: boolean }
  | { readonly kind: 'network'; readonly network: string }
  | {
      readonly kind: 'number';
      readonly source: string;
      readonly part: TimePart | undefined;
      readonly operator: Comparison | undefined;
    }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'exists'; readonly wanted: boolean }
  | { readonly kind: 'null' };

type Modifier = (value: Value) => readonly Value[];

/** Of what a dash may be written as, each stands for all: that is five times as many texts. */
const MAX_DASHES = 3;
const DASHES = ['-', '/', '\u2013', '\u2014', '\u2015'];
const DASH = /(?<![\p{L}\p{N}_])[-/\u2013\u2014\u2015](?=[\p{L}\p{N}_])/u;

/** @throws UnreadableRule */
export function readItem(key: string, value: unknown): Item {
  const [field = '', ...names] = key.split('|');
  const values = Array.isArray(value) ? (value as readonly unknown[]) : [value];
  if (values.length === 0) throw new UnreadableRule(undefined, 'the list of values is empty');
  const isRegex = names.includes('re');
  let alternatives = values.map((each): readonly Value[] => [valueOf(each, isRegex)]);
  for (const name of names) {
    if (name === 'all' || name === 'neq') continue;
    const modifier = MODIFIERS.get(name) ?? refuse(unknownModifier(name));
    alternatives = alternatives.map((each) => each.flatMap(modifier));
  }
  const matches = alternatives.map((each) => each.map(matchOf));
  return {
    key,
    field: field === '' ? undefined : field,
    negated: names.includes('neq'),
    all: names.includes('all') ? matches : [matches.flat()],
  };
}

function valueOf(value: unknown, isRegex: boolean): Value {
  if (value === null) return { kind: 'null' };
  if (typeof value === 'boolean') return { kind: 'boolean', value };
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) refuse(`${value} is no number that a record has`);
    return { kind: 'number', source: String(value), part: undefined, operator: undefined };
  }
  if (typeof value !== 'string') return refuse('a value is a list or a map');
  if (value.includes('\0') || !value.isWellFormed()) {
    refuse('a text with U+0000 or half a character, which no record has');
  }
  return { kind: 'text', text: isRegex ? plainText(value) : parseSigmaText(value), cased: false };
}

function matchOf(value: Value): Match {
  switch (value.kind) {
    case 'text':
    case 'field':
    case 'network':
    case 'exists':
    case 'null':
      return value;
    case 'bytes':
      return refuse('UTF-16 that base64 or base64offset does not follow: no record has such texts');
    case 'boolean':
      return { kind: 'text', text: plainText(String(value.value)), cased: false };
    case 'number': {
      const { part, operator = '=', source } = value;
      if (part !== undefined) return { kind: 'time', part, operator, number: source };
      // Whole numbers are often ids, in texts as well as in numbers.
      return value.operator === undefined && /^-?\d+$/.test(source)
        ? { kind: 'text', text: plainText(source), cased: false }
        : { kind: 'number', operator, number: source };
    }
    case 'regular expression': {
      const { source, flags, place } = value;
      const { pattern, ignoreCase } = postgresRegularExpression(source, {
        ignoreCase: flags.includes('i'),
        multiline: flags.includes('m'),
        dotAll: flags.includes('s'),
      });
      return { kind: 'regular expression', pattern: anchored(pattern, place), ignoreCase };
    }
  }
}

function anchored(pattern: string, place: Place): string {
  switch (place) {
    case 'anywhere':
    case 'whole':
      return pattern;
    case 'start':
      return `^(?:${pattern})`;
    case 'end':
      return `(?:${pattern})\\Z`;
  }
}

const MODIFIERS: ReadonlyMap<string, Modifier> = new Map<string, Modifier>([
  ['contains', at('anywhere', (text) => withAnyBefore(withAnyAfter(text)))],
  ['startswith', at('start', withAnyAfter)],
  ['endswith', at('end', withAnyBefore)],
  ['cased', cased],
  ['windash', windash],
  ['wide', utf16('le', false)],
  ['utf16le', utf16('le', false)],
  ['utf16be', utf16('be', false)],
  ['utf16', utf16('le', true)],
  ['base64', (value) => [textValue(bytesOf(value, 'base64').toString('base64'))]],
  ['base64offset', base64offset],
  ['re', regularExpression],
  ['i', flag('i')],
  ['ignorecase', flag('i')],
  ['m', flag('m')],
  ['multiline', flag('m')],
  ['s', flag('s')],
  ['dotall', flag('s')],
  ['cidr', cidr],
  ['exists', exists],
  ['fieldref', fieldref],
  ['lt', compared('<')],
  ['lte', compared('<=')],
  ['gt', compared('>')],
  ['gte', compared('>=')],
  ...(['minute', 'hour', 'day', 'week', 'month', 'year'] as const).map((part) => [part, timed(part)] as const),
]);

function unknownModifier(name: string): string {
  return name === 'expand'
    ? 'expand: what stands for a placeholder is known to the tool alone that the rule was written for; write the values'
    : `there is no modifier ${name}`;
}

function at(place: Place, widened: (text: SigmaText) => SigmaText): Modifier {
  return (value) => {
    switch (value.kind) {
      case 'text':
        return [{ ...value, text: widened(value.text) }];
      case 'number':
        if (value.part !== undefined || value.operator !== undefined) break;
        return [textValue(value.source, widened)];
      case 'boolean':
        return [textValue(String(value.value), widened)];
      case 'regular expression':
      case 'field':
        return [{ ...value, place: within(value.place, place) }];
      case 'bytes':
      case 'network':
      case 'exists':
      case 'null':
    }
    return refuse(`contains, startswith and endswith take texts, not ${described(value)}`);
  };
}

function within(before: Place, place: Place): Place {
  return before === 'whole' || before === place ? place : 'anywhere';
}

function cased(value: Value): readonly Value[] {
  if (value.kind === 'text' || value.kind === 'field') return [{ ...value, cased: true }];
  return value.kind === 'number' || value.kind === 'boolean' ? [value] : wrong('cased', value);
}

function windash(value: Value): readonly Value[] {
  if (value.kind !== 'text') return wrong('windash', value);
  const dashes = value.text.reduce(
    (sum, token) => sum + (token.kind === 'text' ? token.text.split(DASH).length - 1 : 0),
    0,
  );
  if (dashes > MAX_DASHES) refuse(`windash: more than ${MAX_DASHES} dashes in one value`);
  return replaced(value.text, DASH, DASHES).map((text) => ({ ...value, text }));
}

function utf16(order: 'le' | 'be', mark: boolean): Modifier {
  return (value) => {
    const text = value.kind === 'text' ? textWithoutWildcards(value.text) : undefined;
    if (text === undefined) return wrong('wide and utf16', value);
    const bytes = Buffer.from(mark ? `\uFEFF${text}` : text, 'utf16le');
    return [{ kind: 'bytes', bytes: order === 'be' ? bytes.swap16() : bytes }];
  };
}

function bytesOf(value: Value, modifier: string): Buffer {
  if (value.kind === 'bytes') return value.bytes;
  if (value.kind === 'number') return Buffer.from(value.source);
  const text = value.kind === 'text' ? textWithoutWildcards(value.text) : undefined;
  return text === undefined ? wrong(modifier, value) : Buffer.from(text);
}

/** What a text becomes at each of the three places in a group of three bytes, but for what neighbours have a part in. */
function base64offset(value: Value): readonly Value[] {
  const bytes = bytesOf(value, 'base64offset');
  return [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const first = [0, 2, 3][before];
    const after = [0, 3, 2][(bytes.length + before) % 3] ?? 0;
    return textValue(encoded.slice(first, encoded.length - after));
  });
}

function regularExpression(value: Value): readonly Value[] {
  const source = value.kind === 'text' && !value.cased ? textWithoutWildcards(value.text) : undefined;
  if (value.kind === 'number') return [{ kind: 'regular expression', source: value.source, flags: '', place: 'whole' }];
  return source === undefined
    ? wrong('re', value)
    : [{ kind: 'regular expression', source, flags: '', place: 'whole' }];
}

function flag(name: string): Modifier {
  return (value) =>
    value.kind === 'regular expression'
      ? [{ ...value, flags: value.flags + name }]
      : refuse(`${name} stands after re alone`);
}

function cidr(value: Value): readonly Value[] {
  const text = value.kind === 'text' ? textWithoutWildcards(value.text) : undefined;
  if (text === undefined) return wrong('cidr', value);
  const [address = '', bits, ...more] = text.split('/');
  const length = isIPv4(address) ? 32 : isIPv6(address) && !address.includes('%') ? 128 : undefined;
  const isMask = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (length ?? 0));
  return length === undefined || !isMask || more.length > 0
    ? refuse(`cidr: "${text}" is no network`)
    : [{ kind: 'network', network: text }];
}

function exists(value: Value): readonly Value[] {
  return value.kind === 'boolean' ? [{ kind: 'exists', wanted: value.value }] : refuse('exists takes true or false');
}

function fieldref(value: Value): readonly Value[] {
  const name = value.kind === 'text' ? textWithoutWildcards(value.text) : undefined;
  if (value.kind !== 'text' || name === undefined || name === '') return refuse('fieldref takes the name of a field');
  return [{ kind: 'field', name, place: 'whole', cased: value.cased }];
}

function compared(operator: Comparison): Modifier {
  return (value) => {
    const number = numberIn(value);
    if (number === undefined || number.operator !== undefined) return refuse('lt, lte, gt and gte take numbers');
    return [{ ...number, operator }];
  };
}

function timed(part: TimePart): Modifier {
  return (value) => {
    const number = numberIn(value);
    if (number === undefined || number.part !== undefined || !/^\d+$/.test(number.source)) {
      return refuse(`${part} takes a whole number`);
    }
    return [{ ...number, part }];
  };
}

function numberIn(value: Value): Extract<Value, { kind: 'number' }> | undefined {
  if (value.kind === 'number') return value;
  const text = value.kind === 'text' ? textWithoutWildcards(value.text) : undefined;
  const isNumber = text !== undefined && /^[-+]?\d+(\.\d+)?$/.test(text);
  return isNumber ? { kind: 'number', source: text, part: undefined, operator: undefined } : undefined;
}

function textValue(text: string, widened: (text: SigmaText) => SigmaText = (same) => same): Value {
  return { kind: 'text', text: widened(plainText(text)), cased: false };
}

function described(value: Value): string {
  return value.kind === 'text' ? 'a text with wildcards' : value.kind === 'null' ? 'null' : `a ${value.kind}`;
}

function wrong(modifier: string, value: Value): never {
  return refuse(`${modifier} cannot stand after what made ${described(value)}`);
}

function refuse(reason: string): never {
  throw new UnreadableRule(undefined, reason);
}
