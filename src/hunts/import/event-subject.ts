import { nearest } from '../../kernel/nearest.ts';
import { ENVELOPE, isMembers } from './event-rules.ts';
import { UnreadableRule } from './unreadable-rule.ts';

/** What a table has: calls that CloudTrail records, or GuardDuty's findings. */
export type EventSubject = 'calls' | 'findings';

export interface EventSubjects {
  /** Each becomes a hunt. */
  readonly of: readonly EventSubject[];
  /** The events that the pattern may match besides, and that no table has. */
  readonly lost: string | undefined;
}

type Members = Readonly<Record<string, unknown>>;

const SUBJECTS: readonly EventSubject[] = ['calls', 'findings'];
/** As `trailhound.as_event()` writes them. */
const DETAIL_TYPES: Readonly<Record<EventSubject, readonly string[]>> = {
  calls: ['API Call', 'Console Sign In', 'Service Event', 'Console Action', 'Insight'].map(
    (type) => `AWS ${type} via CloudTrail`,
  ),
  findings: ['GuardDuty Finding'],
};
/** All fields that they have: "CloudTrail record contents" of the user guide, and `Finding` of GuardDuty's API. */
const OWN_FIELDS: Readonly<Record<EventSubject, ReadonlySet<string>>> = {
  calls: new Set([
    'addendum',
    'additionalEventData',
    'apiVersion',
    'awsRegion',
    'edgeDeviceDetails',
    'errorCode',
    'errorMessage',
    'eventCategory',
    'eventContext',
    'eventID',
    'eventName',
    'eventSource',
    'eventTime',
    'eventType',
    'eventVersion',
    'insightDetails',
    'managementEvent',
    'readOnly',
    'recipientAccountId',
    'requestID',
    'requestParameters',
    'resources',
    'responseElements',
    'serviceEventDetails',
    'sessionCredentialFromConsole',
    'sharedEventID',
    'sourceIPAddress',
    'tlsDetails',
    'userAgent',
    'userIdentity',
    'vpcEndpointAccountId',
    'vpcEndpointId',
  ]),
  findings: new Set([
    'accountId',
    'arn',
    'associatedAttackSequenceArn',
    'confidence',
    'createdAt',
    'description',
    'id',
    'partition',
    'region',
    'resource',
    'schemaVersion',
    'service',
    'severity',
    'title',
    'type',
    'updatedAt',
  ]),
};

/**
 * Which tables have events that a pattern may match. Too many are a hunt without rows, too few are rows that nobody sees.
 *
 * @throws UnreadableRule where there is none.
 */
export function subjectsOf(pattern: Members): EventSubjects {
  const misspelt = Object.keys(pattern).find((name) => !ENVELOPE.has(name) && !mayBeMissing(pattern[name]));
  if (misspelt !== undefined) {
    const guess = nearest(misspelt, [...ENVELOPE]);
    throw new UnreadableRule(
      undefined,
      `no event has a field ${misspelt}${guess === undefined ? '' : `: did you mean ${guess}?`}`,
    );
  }
  const types = exactTexts(pattern['detail-type']);
  const sources = exactTexts(pattern['source']);
  const otherTypes = types?.filter((type) => !SUBJECTS.some((subject) => DETAIL_TYPES[subject].includes(type))) ?? [];
  const otherSources = sources?.filter((source) => !source.startsWith('aws.')) ?? [];
  if (otherTypes.length > 0 && otherTypes.length === types?.length) {
    throw new UnreadableRule(undefined, `no table has events of the detail-type ${otherTypes.join(', ')}`);
  }
  if (otherSources.length > 0 && otherSources.length === sources?.length) {
    throw new UnreadableRule(undefined, `no table has events of the source ${otherSources.join(', ')}`);
  }
  const of = SUBJECTS.filter((subject) => mayMatch(pattern, subject));
  if (of.length === 0) {
    const unknown = unknownField(pattern['detail']);
    if (unknown !== undefined) {
      throw new UnreadableRule(
        undefined,
        `neither calls nor findings have detail.${unknown}: no table has such events`,
      );
    }
    throw new UnreadableRule(
      undefined,
      'no event is both what its source, detail-type and detail say: it is neither a call nor a finding',
    );
  }
  return { of, lost: lostOf(pattern, otherTypes, otherSources) };
}

function lostOf(pattern: Members, otherTypes: readonly string[], otherSources: readonly string[]): string | undefined {
  if (otherTypes.length > 0) return `events of the detail-type ${otherTypes.join(', ')}`;
  if (otherSources.length > 0) return `events of the source ${otherSources.join(', ')}`;
  if (exactTexts(pattern['detail-type']) !== undefined || isOfKnownFields(pattern)) return undefined;
  return 'events that are neither calls nor findings, because the pattern does not list its detail-types';
}

/** False only where no event of the table can match. */
function mayMatch(pattern: Members, subject: EventSubject): boolean {
  return Object.entries(pattern).every(([name, value]) => {
    switch (name) {
      case '$or':
        return !Array.isArray(value) || value.some((each) => !isMembers(each) || mayMatch(each, subject));
      case 'detail-type':
        return takesAny(value, (rule) => DETAIL_TYPES[subject].some((type) => mayTake(rule, type)));
      case 'source':
        return takesAny(value, (rule) =>
          subject === 'findings' ? mayTake(rule, 'aws.guardduty') : mayTakeServices(rule),
        );
      case 'detail':
        return !isMembers(value) || detailMayMatch(value, subject);
      default:
        return true;
    }
  });
}

function detailMayMatch(detail: Members, subject: EventSubject): boolean {
  const known = OWN_FIELDS[subject];
  return Object.entries(detail).every(([name, value]) =>
    name === '$or' && Array.isArray(value)
      ? value.some((each) => !isMembers(each) || detailMayMatch(each, subject))
      : known.has(name) || mayBeMissing(value),
  );
}

/** The first that has to be there and is in no table. */
function unknownField(detail: unknown): string | undefined {
  if (!isMembers(detail)) return undefined;
  const names = Object.keys(detail).filter((name) => name !== '$or' && !mayBeMissing(detail[name]));
  return names.find((name) => !SUBJECTS.some((subject) => OWN_FIELDS[subject].has(name)));
}

/** Whether it asks, in each alternative, for a field that only calls have, or only findings among the events of their source. */
function isOfKnownFields(pattern: Members): boolean {
  const { detail, source, $or } = pattern;
  const ofGuardDuty = exactTexts(source)?.every((each) => each === 'aws.guardduty') === true;
  if (isMembers(detail) && asksFor(detail, ofGuardDuty ? OF_EITHER : OF_CALLS)) return true;
  return Array.isArray($or) && $or.every((each) => isMembers(each) && isOfKnownFields(each));
}

function asksFor(detail: Members, fields: ReadonlySet<string>): boolean {
  return Object.entries(detail).some(([name, value]) =>
    name === '$or' && Array.isArray(value)
      ? value.every((each) => isMembers(each) && asksFor(each, fields))
      : fields.has(name) && !mayBeMissing(value),
  );
}

/** Events of other services have these, too. */
const COMMON: ReadonlySet<string> = new Set([
  'errorCode',
  'errorMessage',
  'resources',
  'accountId',
  'id',
  'schemaVersion',
]);
const OF_CALLS: ReadonlySet<string> = new Set([...OWN_FIELDS.calls].filter((name) => !COMMON.has(name)));
const OF_EITHER: ReadonlySet<string> = new Set(
  [...OWN_FIELDS.calls, ...OWN_FIELDS.findings].filter((name) => !COMMON.has(name)),
);

function mayBeMissing(value: unknown): boolean {
  if (isMembers(value)) return Object.values(value).every(mayBeMissing);
  return Array.isArray(value) && value.some((rule) => isMembers(rule) && rule['exists'] === false);
}

function takesAny(rules: unknown, takes: (rule: unknown) => boolean): boolean {
  return !Array.isArray(rules) || rules.some(takes);
}

/** False only where the rule does not take the text. */
function mayTake(rule: unknown, text: string): boolean {
  if (typeof rule === 'string') return rule === text;
  if (!isMembers(rule)) return false;
  const { prefix, suffix, exists, 'anything-but': other } = rule;
  if (typeof prefix === 'string') return text.startsWith(prefix);
  if (typeof suffix === 'string') return text.endsWith(suffix);
  if (typeof other === 'string') return text !== other;
  if (Array.isArray(other)) return !other.includes(text);
  return exists !== false;
}

/** Calls have as many sources as there are services. */
function mayTakeServices(rule: unknown): boolean {
  if (typeof rule === 'string') return rule.startsWith('aws.');
  if (!isMembers(rule)) return false;
  const { prefix, exists } = rule;
  if (typeof prefix === 'string') return prefix.startsWith('aws.') || 'aws.'.startsWith(prefix);
  return exists !== false;
}

/** Where a field takes exact values only: all of them. */
function exactTexts(values: unknown): readonly string[] | undefined {
  if (!Array.isArray(values) || values.length === 0) return undefined;
  const texts = values.filter((value) => typeof value === 'string');
  return texts.length === values.length ? texts : undefined;
}
