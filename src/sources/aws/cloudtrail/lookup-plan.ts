import { booleanWanted, contradicts } from '../../contradictions.ts';
import { isNameOperator, namesAsked, nameTest } from '../../names.ts';
import type { Exactness, Predicate, Pushed, ScanRequest } from '../../source.ts';
import { ALWAYS, type TimeRange, intersect, isEmptyRange, outerRange, rangeSaid } from '../../time-range.ts';
import type { LookupAttributeKey } from '../clients/cloudtrail.ts';

/** LookupEvents: "events that occurred in a Region within the last 90 days". */
export const KEPT_MS = 90 * 86_400_000;
/** Each value of a list is a look-up of its own, at two a second. */
const MAX_VALUES = 50;
/** LookupAttribute, AttributeValue: some characters count twice. */
const MAX_VALUE_LENGTH = 1_000;

/** The service takes one attribute: the first of these that the statement gives leaves the fewest events. */
const ATTRIBUTES = [
  { key: 'EventId', path: 'eventID' },
  { key: 'AccessKeyId', path: 'userIdentity.accessKeyId' },
  { key: 'Username', path: '@username' },
  { key: 'ResourceName', path: '@resource_name' },
  { key: 'EventName', path: 'eventName' },
  { key: 'EventSource', path: 'eventSource' },
  { key: 'ResourceType', path: '@resource_type' },
  { key: 'ReadOnly', path: 'readOnly' },
] as const satisfies readonly { readonly key: LookupAttributeKey; readonly path: string }[];

export interface LookupAttribute {
  readonly key: LookupAttributeKey;
  readonly path: string;
  readonly value: string;
}

/** Values of the input columns, each asked for by itself and echoed. */
export interface LookupInputs {
  readonly resourceName: string | undefined;
  readonly resourceType: string | undefined;
  /** Milliseconds since the epoch. */
  readonly startTime: number | undefined;
  readonly endTime: number | undefined;
}

/** One series of pages in each region. */
export interface Lookup {
  readonly attribute: LookupAttribute | undefined;
  readonly inputs: LookupInputs;
  readonly range: TimeRange;
}

export interface LookupPlan {
  readonly pushed: readonly Pushed[];
  readonly empty: boolean;
  readonly lookups: readonly Lookup[];
  /** Older events than the service keeps are asked for: nobody says how many there were. */
  readonly reachesTooFar: boolean;
}

/** @param now milliseconds since the epoch */
export function planLookups(request: ScanRequest, now: number): LookupPlan {
  const { predicates } = request;
  const range = rangeSaid(request, ({ column }) => column.path === 'eventTime') ?? ALWAYS;
  const inputs = inputsOf(predicates);
  const chosen = ATTRIBUTES.map(({ key, path }) => ({ key, path, values: valuesOf(predicates, path) })).find(
    ({ values }) => values !== undefined && values.length > 0 && values.length <= MAX_VALUES && values.every(isValue),
  );
  const lookups = inputs.flatMap((each) => {
    const within = intersect(range, {
      start: each.startTime ?? ALWAYS.start,
      end: each.endTime ?? ALWAYS.end,
    });
    if (isEmptyRange(within) || within.end < now - KEPT_MS) return [];
    return attributesFor(chosen, each).map((attribute) => ({ attribute, inputs: each, range: within }));
  });
  return {
    pushed: predicates.map((predicate) => pushedAs(predicate, chosen)),
    empty: lookups.length === 0 || contradicts(predicates),
    lookups,
    reachesTooFar: lookups.some((lookup) => lookup.range.start < now - KEPT_MS && Number.isFinite(lookup.range.start)),
  };
}

interface Chosen {
  readonly key: LookupAttributeKey;
  readonly path: string;
  readonly values: readonly string[] | undefined;
}

function attributesFor(chosen: Chosen | undefined, inputs: LookupInputs): readonly (LookupAttribute | undefined)[] {
  if (chosen === undefined) return [undefined];
  const { key, path } = chosen;
  const values =
    key === 'ResourceName' ? [inputs.resourceName] : key === 'ResourceType' ? [inputs.resourceType] : chosen.values;
  return (values ?? []).flatMap((value) => (value === undefined ? [] : [{ key, path, value }]));
}

function isValue(value: string): boolean {
  return value !== '' && value.length <= MAX_VALUE_LENGTH && !value.includes('\uFFFD');
}

function valuesOf(predicates: readonly Predicate[], path: string): readonly string[] | undefined {
  if (path !== 'readOnly') return namesAsked(predicates, path);
  const wanted = predicates.filter(({ column }) => column.path === path).map(booleanWanted);
  const [first] = wanted.filter((value) => value !== undefined);
  return first === undefined ? undefined : [String(first)];
}

function inputsOf(predicates: readonly Predicate[]): readonly LookupInputs[] {
  const choices = (path: string) => namesAsked(predicates, path) ?? [undefined];
  const times = (path: string) =>
    choices(path).map((value): number | undefined => (value === undefined ? undefined : Number(value)));
  return choices('@resource_name').flatMap((resourceName) =>
    choices('@resource_type').flatMap((resourceType) =>
      times('@start_time').flatMap((startTime) =>
        times('@end_time').map((endTime) => ({ resourceName, resourceType, startTime, endTime })),
      ),
    ),
  );
}

function pushedAs(predicate: Predicate, chosen: Chosen | undefined): Pushed {
  const push = (exactness: Exactness, as?: string): Pushed => ({ predicate, exactness, as });
  const { path } = predicate.column;
  const isChosen =
    path !== undefined && path === chosen?.path && ['=', 'is true', 'is false'].includes(predicate.operator);
  if (isChosen)
    return push(path === 'readOnly' ? 'inexact' : 'exact', `${chosen.key}=${(chosen.values ?? []).join(', ')}`);
  switch (path) {
    case 'eventTime':
      return outerRange(predicate) === undefined ? push('none') : push('inexact', 'StartTime, EndTime');
    case '@resource_name':
    case '@resource_type':
      return predicate.operator === '=' ? push('exact', 'the resources that events name') : push('none');
    case '@start_time':
    case '@end_time':
      return predicate.operator === '=' ? push('exact', 'StartTime, EndTime') : push('none');
    case '@region':
    case '@connection_name':
      return isNameOperator(predicate) ? push('exact', 'which regions are asked') : push('none');
    case '@account_id':
      return isNameOperator(predicate) ? push('inexact', 'which accounts are asked') : push('none');
    case undefined:
    default:
      return push('none');
  }
}

export function placeTests(predicates: readonly Predicate[]) {
  return { region: nameTest(predicates, '@region'), account: nameTest(predicates, '@account_id') };
}
