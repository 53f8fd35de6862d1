import type { Node } from '@pgsql/types';
import { type Column, declaredAs, type Operator, type VirtualTable } from '../catalog/table.ts';
import { bare } from '../sql/walk.ts';
import { simplify, type OpenCondition } from './condition-trees.ts';
import { text } from './nodes.ts';
import { acceptedText, isAddress, isAscii, isMembers, nameText, type Members } from './pattern-texts.ts';
import type { ColumnOf, OpenPredicate } from './predicates.ts';

/**
 * What `trailhound.event_matches(…, '<pattern>')` surely says of a record's columns: less than it does, since the call stays
 * in the statement. Of columns, only fields that are texts in every record are looked at ("CloudTrail record contents" of the
 * user guide): of what may be an array any element may match. Of the others, something stands in the record's text.
 */
export function eventPatternIn(node: Node, column: ColumnOf, table: VirtualTable): OpenCondition | undefined {
  const [event, pattern] = argumentsOf(node, 'event_matches') ?? [];
  const [record] = argumentsOf(event, 'as_event') ?? [];
  const text = constantText(pattern);
  if (text === undefined || column(record ?? event)?.path !== '@record') return undefined;
  const fields = new Fields(table, record === undefined ? 'record' : 'envelope');
  const condition = simplify(fields.read(membersIn(text), []));
  return condition.kind === 'unknown' ? undefined : condition;
}

const UNKNOWN: OpenCondition = { kind: 'unknown' };

class Fields {
  readonly #table: VirtualTable;
  readonly #of: 'record' | 'envelope';

  constructor(table: VirtualTable, of: 'record' | 'envelope') {
    this.#table = table;
    this.#of = of;
  }

  read(pattern: Members, path: readonly string[]): OpenCondition {
    const eventSource = isMembers(pattern['detail']) ? pattern['detail']['eventSource'] : undefined;
    const of = Object.entries(pattern).map(([name, body]): OpenCondition => {
      if (name === '$or') return anyOf(listOf(body).map((each) => (isMembers(each) ? this.read(each, path) : UNKNOWN)));
      if (name.includes('.')) return UNKNOWN;
      if (isMembers(body)) return this.read(body, [...path, name]);
      if (!Array.isArray(body)) return UNKNOWN;
      // It says the same, and a filter pattern has room for little.
      if (name === 'source' && path.length === 0 && Array.isArray(eventSource)) return UNKNOWN;
      return this.#field([...path, name], body);
    });
    return { kind: 'and', of };
  }

  #field(path: readonly string[], alternatives: readonly unknown[]): OpenCondition {
    if (this.#of === 'record') return this.#ofRecord(path, alternatives);
    const [first = '', ...below] = path;
    if (first === 'detail' && below.length > 0) return this.#ofRecord(below, alternatives);
    if (below.length > 0) return UNKNOWN;
    if (first === 'source') return anyOf(alternatives.map((each) => this.#source(each)));
    const own = ENVELOPE[first];
    return own === undefined ? UNKNOWN : this.#values(own.path, own.values?.(alternatives) ?? alternatives);
  }

  #ofRecord(path: readonly string[], alternatives: readonly unknown[]): OpenCondition {
    const said = simplify(this.#values(path.join('.'), alternatives));
    return said.kind === 'unknown' ? anyOf(alternatives.map((each) => this.#anywhere(path, each))) : said;
  }

  /** Of each value that an alternative accepts: a text that it has, or else the name of the field. */
  #anywhere(path: readonly string[], alternative: unknown): OpenCondition {
    const column = this.#table.columns.find((each) => each.path === '@record' && each.operators.includes('ilike'));
    const isAbsent = isMembers(alternative) && alternative['exists'] === false;
    if (column === undefined || isAbsent) return UNKNOWN;
    const text = acceptedText(alternative) ?? (isEverywhere(path) ? undefined : nameText(path.at(-1) ?? ''));
    return text === undefined
      ? UNKNOWN
      : { kind: 'predicate', predicate: ofRecord(column, text.operator, text.pattern) };
  }

  /** `aws.iam` is made of `iam.amazonaws.com`. */
  #source(alternative: unknown): OpenCondition {
    const name = typeof alternative === 'string' ? /^aws\.([^.]+)$/.exec(alternative)?.[1] : undefined;
    return name === undefined ? UNKNOWN : this.#values('eventSource', [name, { prefix: `${name}.` }]);
  }

  #values(path: string, alternatives: readonly unknown[]): OpenCondition {
    const column = this.#table.columns.find((each) => each.path === path && each.type === 'text');
    if (column === undefined || !isText(path)) return UNKNOWN;
    const exact = alternatives.filter((each) => typeof each === 'string' && !isAddress(each)) as string[];
    const others = alternatives.filter((each) => !exact.includes(each as string));
    return anyOf([
      ...(exact.length === 0 ? [] : [says(column, '=', ...exact)]),
      ...others.map((each) => rule(column, each)),
    ]);
  }
}

/** Nothing is said by none: such a pattern is none. */
function anyOf(of: readonly OpenCondition[]): OpenCondition {
  const [only = UNKNOWN] = of;
  return of.length < 2 ? only : { kind: 'or', of };
}

/** In every record, and no array: `requestParameters` and its like are free-form. */
function isText(path: string): boolean {
  return !path.startsWith('@') && (!path.includes('.') || path.startsWith('userIdentity.'));
}

/** In nearly every record, so that its name tells none from the others. */
function isEverywhere(path: readonly string[]): boolean {
  return path.length === 1 ? !RARE.has(path[0] ?? '') : path.length === 2 && path[0] === 'userIdentity';
}

const RARE: ReadonlySet<string> = new Set([
  'addendum',
  'apiVersion',
  'edgeDeviceDetails',
  'errorCode',
  'errorMessage',
  'insightDetails',
  'resources',
  'serviceEventDetails',
  'sharedEventID',
  'vpcEndpointId',
]);

/** Of the record's whole text. */
function ofRecord(column: Column, operator: Operator, pattern: string): OpenPredicate {
  return { column, steps: [], operator, values: [{ node: text(pattern), list: false }] };
}

/** One alternative for a field that is a text, null or absent. */
function rule(column: Column, alternative: unknown): OpenCondition {
  if (alternative === null) return says(column, 'is null');
  if (!isMembers(alternative)) return UNKNOWN;
  const [[operator, value] = ['', undefined], second] = Object.entries(alternative);
  if (second !== undefined) return UNKNOWN;
  switch (operator) {
    case 'exact':
      return typeof value === 'string' ? says(column, '=', value) : UNKNOWN;
    case 'prefix':
    case 'suffix':
    case 'wildcard':
      return typeof value === 'string'
        ? says(column, 'like', likeOf(operator, value))
        : says(column, 'ilike', foldedLikeOf(operator, isMembers(value) ? value['equals-ignore-case'] : undefined));
    case 'equals-ignore-case':
      return says(column, 'ilike', foldedLikeOf(operator, value));
    case 'exists':
      // Null is a value that exists; an object and an empty list are none, and yet the column is not NULL.
      return UNKNOWN;
    case 'anything-but':
      return anyOf([says(column, 'is null'), anythingBut(column, value)]);
    default:
      return UNKNOWN;
  }
}

function anythingBut(column: Column, excluded: unknown): OpenCondition {
  if (!isMembers(excluded)) {
    return { kind: 'and', of: listOf(excluded).map((each) => says(column, '<>', textOf(each))) };
  }
  const [[operator, value] = ['', undefined]] = Object.entries(excluded);
  if (operator !== 'prefix' && operator !== 'suffix' && operator !== 'wildcard') return UNKNOWN;
  return { kind: 'and', of: listOf(value).map((each) => says(column, 'not like', likeOf(operator, each))) };
}

function says(column: Column, operator: Operator, ...values: (string | undefined)[]): OpenCondition {
  if (!column.operators.includes(declaredAs(operator))) return UNKNOWN;
  const nodes = values.flatMap((value) => (value === undefined ? [] : [{ node: text(value), list: false }]));
  return nodes.length < values.length ? UNKNOWN : { kind: 'predicate', predicate: { column, operator, values: nodes } };
}

function likeOf(operator: 'prefix' | 'suffix' | 'wildcard', value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  switch (operator) {
    case 'prefix':
      return `${escaped(value)}%`;
    case 'suffix':
      return `%${escaped(value)}`;
    case 'wildcard':
      return value.replace(/\\([*\\])|\*|[%_\\]/g, (found, self: string | undefined) =>
        self === undefined ? (found === '*' ? '%' : `\\${found}`) : escaped(self),
      );
  }
}

/** Of other letters than ASCII's, EventBridge may know other cases than ILIKE. */
function foldedLikeOf(operator: string, value: unknown): string | undefined {
  if (typeof value !== 'string' || !isAscii(value)) return undefined;
  if (operator === 'prefix' || operator === 'suffix') return likeOf(operator, value);
  return operator === 'equals-ignore-case' ? escaped(value) : undefined;
}

function escaped(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}

/** Where the envelope has what of the record, and as which values. */
const ENVELOPE: Readonly<
  Record<string, { readonly path: string; readonly values?: (alternatives: readonly unknown[]) => readonly unknown[] }>
> = {
  account: { path: 'recipientAccountId' },
  region: { path: 'awsRegion' },
  id: { path: 'eventID' },
  // All other types are API calls: of those nothing is said.
  'detail-type': { path: 'eventType', values: (types) => types.map((type) => EVENT_TYPES.get(type) ?? NOTHING_SAID) },
};

const EVENT_TYPES: ReadonlyMap<unknown, string> = new Map([
  ['AWS Console Sign In via CloudTrail', 'AwsConsoleSignIn'],
  ['AWS Service Event via CloudTrail', 'AwsServiceEvent'],
  ['AWS Console Action via CloudTrail', 'AwsConsoleAction'],
  ['AWS Insight via CloudTrail', 'AwsCloudTrailInsight'],
]);
const NOTHING_SAID = { exists: true };

/** Only under its own schema is it sure to be ours. */
function argumentsOf(node: Node | undefined, name: string): readonly Node[] | undefined {
  const call = bare(node, 'FuncCall');
  const names = (call?.funcname ?? []).map((part) => bare(part, 'String')?.sval);
  return names.length === 2 && names[0] === 'trailhound' && names[1] === name ? call?.args : undefined;
}

function constantText(node: Node | undefined): string | undefined {
  const cast = bare(node, 'TypeCast');
  const type = bare(cast?.typeName?.names?.at(-1), 'String')?.sval;
  if (cast !== undefined && type !== 'jsonb') return undefined;
  return bare(cast?.arg ?? node, 'A_Const')?.sval?.sval;
}

/** Empty where it is no object: PostgreSQL says what is wrong with it. */
function membersIn(text: string): Members {
  try {
    const value: unknown = JSON.parse(text);
    return isMembers(value) ? value : {};
  } catch {
    return {};
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
