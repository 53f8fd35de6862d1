import type { Severity } from '../../hunt.ts';
import { UnreadableRule } from '../unreadable-rule.ts';
import { parseCondition, type Condition } from './condition.ts';
import { type Correlation, readCorrelation } from './correlation.ts';
import { checkSize, readDetection } from './detection.ts';
import { checkField } from './field.ts';
import { isMembers, textOf, textsOf, type Members } from './rule-members.ts';
import type { Selections } from './rule-sql.ts';

/** What a rule, or a correlation of rules, says of itself. */
export interface RuleHeader {
  /** `rules/a.yml:12` */
  readonly place: string;
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly title: string;
  readonly severity: Severity;
  /** `T1078.004` */
  readonly mitre: readonly string[];
  readonly falsePositives: readonly string[];
  readonly references: readonly string[];
  /** Who wrote it, when, under which licence. */
  readonly origin: readonly string[];
}

export type Rule = RuleHeader &
  (
    | { readonly kind: 'detection'; readonly detection: DetectionRule }
    | { readonly kind: 'correlation'; readonly correlation: Correlation }
  );

export interface DetectionRule {
  readonly selections: Selections;
  readonly condition: Condition;
  /** What the author wants to be shown. */
  readonly fields: readonly string[];
}

/**
 * Reads a document, after the Sigma Rules Specification, 2.1.0.
 *
 * @throws UnreadableRule
 */
export function readRule(document: unknown, place: string): Rule {
  if (!isMembers(document)) throw new UnreadableRule(undefined, 'a rule is a map');
  if ('filter' in document && !('detection' in document)) {
    refuse('filters of Sigma are not applied: write what is to be left out into hunts.known, or into the rule');
  }
  if ('action' in document) refuse('"action": collections of that form have given way to several documents in a file');
  const taxonomy = textOf(document['taxonomy']);
  if (taxonomy !== undefined && taxonomy !== 'sigma') refuse(`taxonomy: fields are named as in ${taxonomy}`);
  const header = headerOf(document, place);
  if ('correlation' in document) {
    return { ...header, kind: 'correlation', correlation: readCorrelation(document['correlation']) };
  }
  checkLogSource(document['logsource']);
  return { ...header, kind: 'detection', detection: detectionOf(document) };
}

function headerOf(document: Members, place: string): RuleHeader {
  const id = textOf(document['id']);
  const tags = textsOf(document['tags']);
  const title = textOf(document['title']) ?? refuse('it has no title');
  const said = (label: string, key: string) =>
    textsOf(document[key]).length === 0 ? [] : [`${label}: ${textsOf(document[key]).join(', ')}`];
  return {
    place,
    id,
    name: textOf(document['name']),
    title,
    severity: severityOf(document['level']),
    mitre: tags.flatMap((tag) => /^attack\.(t\d{4}(?:\.\d{3})?)$/i.exec(tag)?.[1]?.toUpperCase() ?? []),
    falsePositives: textsOf(document['falsepositives']),
    references: textsOf(document['references']),
    origin: [
      id === undefined ? 'Sigma rule' : `Sigma rule ${id}`,
      ...said('Description', 'description'),
      ...said('Author', 'author'),
      ...said('License', 'license'),
      ...said('Status', 'status'),
      ...said('Date', 'date'),
      ...said('Modified', 'modified'),
      ...said('Tags', 'tags'),
      ...relatedOf(document['related']),
    ],
  };
}

function relatedOf(related: unknown): readonly string[] {
  const members = Array.isArray(related) ? (related as readonly unknown[]).filter(isMembers) : [];
  const texts = members.map((each) => `${textOf(each['id']) ?? ''} (${textOf(each['type']) ?? ''})`);
  return texts.length === 0 ? [] : [`Related: ${texts.join(', ')}`];
}

function severityOf(level: unknown): Severity {
  switch (textOf(level)) {
    case 'informational':
      return 'info';
    case 'low':
      return 'low';
    case undefined:
    case 'medium':
      return 'medium';
    case 'high':
      return 'high';
    case 'critical':
      return 'critical';
    default:
      return refuse(`level: ${String(textOf(level))} is none`);
  }
}

function checkLogSource(source: unknown): void {
  const { product, service, category } = isMembers(source) ? source : {};
  const [made, by] = [textOf(product)?.toLowerCase(), textOf(service)?.toLowerCase()];
  if (made !== 'aws' || by !== 'cloudtrail' || category !== undefined) {
    const named = [category, product, service].map(textOf).filter((text) => text !== undefined);
    refuse(`logsource: ${named.length === 0 ? 'it names none' : named.join('/')}, but CloudTrail is aws/cloudtrail`);
  }
}

function detectionOf(document: Members): DetectionRule {
  const definition = document['detection'];
  if (!isMembers(definition)) return refuse('detection: it is no map');
  const { condition, timeframe, ...bodies } = definition;
  if (timeframe !== undefined) refuse('detection.timeframe: it has given way to correlation rules');
  const selections = new Map(
    Object.entries(bodies).map(([name, body]) => [name, readDetection(body, `detection.${name}`)] as const),
  );
  checkSize(selections.values());
  const fields = textsOf(document['fields']);
  for (const field of fields) checkField(field);
  return { selections, fields, condition: conditionOf(condition, [...selections.keys()]) };
}

/** A list of conditions is any of them. */
function conditionOf(given: unknown, names: readonly string[]): Condition {
  const texts = textsOf(given);
  if (texts.length === 0) refuse('detection.condition: there is none');
  try {
    const of = texts.map((text) => parseCondition(text, names));
    const [only, second] = of;
    return only !== undefined && second === undefined ? only : { kind: 'or', of };
  } catch (error) {
    if (!(error instanceof UnreadableRule)) throw error;
    throw new UnreadableRule(error.line, `detection.condition: ${error.message}`);
  }
}

function refuse(reason: string): never {
  throw new UnreadableRule(undefined, reason);
}
