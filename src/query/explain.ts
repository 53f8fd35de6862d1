import type { FetchStatistics } from '../hydrate/hydrator.ts';
import type { Planned } from '../planner/plan.ts';
import type { Reference } from '../planner/statement.ts';
import { lookupOf, type InputKeys } from '../planner/steps.ts';
import { aggregationText } from '../sources/aggregation-text.ts';
import type { Source } from '../sources/source.ts';
import type { Classified } from '../sql/statement.ts';
import type { KnownRestrictions } from './constants.ts';
import { callsOfLookup, callsOfScan } from './estimated-calls.ts';
import { columnsToFetch } from './hydrated-sql.ts';
import { refusalOf } from './refusals.ts';
import { scanRequest } from './scan-request.ts';

/** One reference of a statement, as EXPLAIN says it. */
export interface ReferenceExplanation {
  readonly table: string;
  readonly alias: string;
  readonly fetches: 'scan' | 'lookup' | 'nothing';
  readonly columns: readonly string[];
  readonly pushed: readonly { readonly column: string; readonly as: string; readonly exactness: string }[];
  readonly kept: readonly string[];
  /** Rows after which the scan ends. */
  readonly limit?: number;
  /** In which order rows are asked for, of which the first ones are enough. */
  readonly inOrder?: { readonly column: string; readonly direction: 'asc' | 'desc'; readonly rows: number };
  /** What the source is asked for in the place of rows: `count(*), max(event_time) by event_name`. */
  readonly aggregated?: string;
  readonly parts: readonly string[];
  readonly keys?: { readonly column: string; readonly from: string; readonly query: readonly string[] };
  /** Input columns whose values rows give; without queries they stand beside the keys. */
  readonly inputs?: readonly { readonly column: string; readonly query: readonly string[] }[];
  /** The recursive CTE at each level of which keys are computed and looked up. */
  readonly recursion?: string;
  /** Keys are asked for in growing numbers, and no more of them once the statement has the rows of its LIMIT. */
  readonly untilLimit?: boolean;
  /** Columns of a scan whose values come from the rest of the statement, where they are few enough for the source. */
  readonly narrowedBy?: readonly {
    readonly column: string;
    readonly from: string;
    readonly query: readonly string[];
  }[];
  /** Without what is cached: `at most 3`, `one a distinct key that is not cached`, `one or more for each of 2 parts`. */
  readonly estimatedCalls?: string;
  readonly problem?: string;
  /** EXPLAIN ANALYZE alone. */
  readonly fetched?: FetchStatistics;
}

/** What a plan would do, without doing it. */
export function explainPlan(
  planned: Planned,
  references: readonly Reference[],
  restrictions: ReadonlyMap<Reference, KnownRestrictions>,
  sourceOf: (name: string) => Source | undefined,
  statisticsOf: (reference: Reference) => FetchStatistics | undefined = () => undefined,
): readonly ReferenceExplanation[] {
  return references.map((reference): ReferenceExplanation => {
    const fetched = statisticsOf(reference);
    const { table } = reference.view;
    const known = restrictions.get(reference);
    const columns = columnsToFetch(reference);
    const base = {
      table: reference.view.name,
      alias: reference.item.name ?? '',
      columns: columns.map((column) => column.name),
      ...(fetched === undefined ? {} : { fetched }),
    };
    const none = { pushed: [], kept: [], parts: [] };
    if (!('plan' in planned)) {
      const problem = reference === planned.unbounded ? planned.error.message : undefined;
      return { ...base, ...none, fetches: table.kind, ...(problem === undefined ? {} : { problem }) };
    }
    if (planned.plan.dead.has(reference) || known?.contradiction === true)
      return { ...base, ...none, fetches: 'nothing' };
    const refusal = refusalOf(planned.plan, restrictions);
    if (refusal?.unbounded === reference)
      return { ...base, ...none, fetches: table.kind, problem: refusal.error.message };
    const found = lookupOf(reference, planned.plan.steps);
    if (found !== undefined) {
      const { lookup, within } = found;
      const { growth } = planned.plan;
      const own = sourceOf(table.source);
      return {
        ...base,
        ...none,
        fetches: 'lookup',
        estimatedCalls: callsOfLookup(lookup, known, own?.kind === 'lookup' ? own : undefined),
        keys: { column: lookup.key.name, from: lookup.from, query: lookup.queries },
        ...(lookup.inputs.length === 0 ? {} : { inputs: lookup.inputs.map(inputExplanation) }),
        ...(within === undefined ? {} : { recursion: within.name }),
        ...(growth !== undefined && [lookup, within].includes(growth.step) ? { untilLimit: true } : {}),
      };
    }
    const source = sourceOf(table.source);
    if (source?.kind !== 'scan') return { ...base, ...none, fetches: 'scan' };
    const own = planned.plan.steps.find((each) => each.kind === 'scan' && each.reference === reference);
    const keys = own?.kind === 'scan' ? own.keys : [];
    const narrowedBy = keys.map(({ column, from, queries }) => ({ column: column.name, from, query: queries }));
    const request = scanRequest(reference, known, source);
    const scan = source.plan(request);
    return {
      ...base,
      ...(request.limit === undefined ? {} : { limit: request.limit }),
      ...(request.order === undefined || known?.first === undefined
        ? {}
        : {
            inOrder: { column: request.order.column.name, direction: request.order.direction, rows: known.first.count },
          }),
      ...(request.aggregation === undefined ? {} : { aggregated: aggregationText(request.aggregation) }),
      ...(narrowedBy.length === 0 ? {} : { narrowedBy }),
      fetches: scan.empty ? 'nothing' : 'scan',
      estimatedCalls: callsOfScan(scan, keys.length > 0),
      pushed: [
        ...scan.pushed.map(({ predicate, ...pushed }) => ({ columns: [predicate.column], ...pushed })),
        ...(scan.pushedConditions ?? []),
      ].flatMap(({ columns: compared, exactness, as }) => {
        const column = [...new Set(compared.map(({ name }) => name))].join(', ');
        return exactness === 'none' ? [] : [{ column, as: as ?? '', exactness }];
      }),
      kept: [
        ...scan.pushed.map(({ predicate, exactness }) => ({ columns: [predicate.column], exactness })),
        ...(scan.pushedConditions ?? []),
      ].flatMap(({ columns: compared, exactness }) => (exactness === 'exact' ? [] : compared.map(({ name }) => name))),
      parts: scan.parts,
    };
  });
}

function inputExplanation({ column, queries = [] }: InputKeys): { column: string; query: readonly string[] } {
  return { column: column.name, query: queries };
}

/** One line a reference, its details below it, indented as PostgreSQL's own. */
export function explanationLines(explanations: readonly ReferenceExplanation[]): string[] {
  return explanations.flatMap((each) => {
    const name = each.alias === each.table || each.alias === '' ? each.table : `${each.table} ${each.alias}`;
    const line = (label: string, text: string): string[] => (text === '' ? [] : [`  ${label}: ${text}`]);
    const how = {
      nothing: 'nothing is fetched: no row can count',
      scan: 'scan',
      lookup: each.keys === undefined ? 'lookup' : `lookup by ${each.keys.column}`,
    }[each.fetches];
    return [
      `Trailhound: ${name}: ${each.problem ?? how}`,
      ...line('Estimated calls', each.estimatedCalls ?? ''),
      ...each.pushed.flatMap(({ column, as, exactness }) => line(`Pushed ${column} (${exactness})`, as)),
      ...line('Kept by PostgreSQL', [...new Set(each.kept)].join(', ')),
      ...line('Rows at most', each.limit === undefined ? '' : String(each.limit)),
      ...line('Read in order (exact)', each.inOrder === undefined ? '' : orderText(each.inOrder)),
      ...line('Aggregated (exact)', each.aggregated ?? ''),
      ...line('Driven', each.recursion === undefined ? '' : `level by level, as ${each.recursion} recurses`),
      ...line('Ends', each.untilLimit === true ? 'with LIMIT, keys are asked for in growing numbers' : ''),
      ...line('Keys from', each.keys?.from ?? ''),
      ...(each.keys?.query ?? []).flatMap((query) => line('Key query', readable(query))),
      ...(each.inputs ?? []).flatMap(({ column, query }) => [
        ...line('Asked with', `${column} ${query.length === 0 ? 'of the same rows' : 'of rows'}`),
        ...query.flatMap((text) => line('Input query', readable(text))),
      ]),
      ...(each.narrowedBy ?? []).flatMap(({ column, from, query }) => [
        ...line(`Keys for ${column} from`, from),
        ...query.flatMap((text) => line('Key query', readable(text))),
      ]),
      ...line('Columns', each.columns.join(', ')),
      ...each.parts.flatMap((part) => line('Reads', part)),
      ...line('Fetched', each.fetched === undefined ? '' : fetchedText(each.fetched)),
    ];
  });
}

function orderText({ column, direction, rows }: NonNullable<ReferenceExplanation['inOrder']>): string {
  return `${column} ${direction}, until the first ${String(rows)} rows have come`;
}

function readable(query: string): string {
  return query.replaceAll('trailhound:reference:', 'reference ').replaceAll('trailhound:level:', 'rows ');
}

function fetchedText({ calls, pages, rows, bytes, cacheHits, waitMs }: FetchStatistics): string {
  const counts = { rows, calls, pages, bytes, 'cache hits': cacheHits };
  const texts = Object.entries(counts).map(([name, count]) => `${name}=${String(count)}`);
  return `${texts.join(' ')} waited=${(waitMs / 1000).toFixed(3)} s`;
}

/** EXPLAIN (FORMAT JSON): one more key in the first object. */
export function explainJson(lines: readonly string[], explanations: readonly ReferenceExplanation[]): string[] {
  const parsed = JSON.parse(lines.join('\n')) as Record<string, unknown>[];
  const [first, ...rest] = parsed;
  return [JSON.stringify([{ ...first, Trailhound: explanations }, ...rest], null, 2)];
}

/** From the result's only column of all its rows to the rows to send instead. */
export function explainer(
  format: Classified['explainFormat'],
  explanations: readonly ReferenceExplanation[],
): (lines: readonly string[]) => readonly string[] {
  switch (format) {
    case 'text':
      return (lines) => [...lines, ...explanationLines(explanations)];
    case 'json':
      return (lines) => explainJson(lines, explanations);
    case 'other':
      return (lines) => lines;
  }
}
