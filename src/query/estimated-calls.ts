import type { Reference } from '../planner/statement.ts';
import type { Step } from '../planner/steps.ts';
import type { LookupSource, ScanPlan } from '../sources/source.ts';
import type { KnownRestrictions } from './constants.ts';
import { withInputs } from './lookup-keys.ts';
import { withReach } from './lookup-notices.ts';
import { readsRelation } from './reads-relation.ts';

type Lookup = Extract<Step, { kind: 'lookup' }>;

/** What a look-up costs, as far as that can be said without a call and without the cache. */
export function callsOfLookup(
  lookup: Lookup,
  known: KnownRestrictions | undefined,
  source: LookupSource | undefined,
): string {
  const { reference, key, queries, inputs } = lookup;
  if (inputs.length > 0) return 'one a distinct key and value of its inputs that is not cached';
  const keys = queries.some(readsRelation) ? undefined : constantKeys(reference, key.name, known);
  if (keys === undefined || source === undefined) return 'one a distinct key that is not cached';
  const asked = withInputs(keys, reference, withReach(known, lookup, source));
  const calls = asked.filter((each) => source.answerLocally(each) === undefined).length;
  return calls === 0 ? 'none' : `at most ${String(calls)}`;
}

export function callsOfScan({ empty, parts, calls }: ScanPlan, hasKeys: boolean): string {
  if (empty) return 'none';
  if (calls !== undefined) return calls;
  const each = parts.length > 1 ? `one or more for each of ${String(parts.length)} parts` : 'one or more';
  return hasKeys ? `${each}, or none where there are no keys` : each;
}

/** The keys are asked for by one conjunct or another. */
function constantKeys(
  reference: Reference,
  key: string,
  known: KnownRestrictions | undefined,
): readonly string[] | undefined {
  const own = (known?.predicates ?? []).filter(({ column, operator }) => column.name === key && operator === '=');
  const [most] = own.map(({ values }) => [...new Set(values)]).sort((one, two) => two.length - one.length);
  return most;
}
