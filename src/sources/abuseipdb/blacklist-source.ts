import { contradicts } from '../contradictions.ts';
import { nearestDouble } from '../exact-number.ts';
import { namesAsked } from '../names.ts';
import type { KeptAs, Page, ScanRequest, ScanSource, SourceRecord } from '../source.ts';
import { rangeSaid } from '../time-range.ts';
import type { AbuseipdbClient } from './client.ts';
import { noResult } from './failures.ts';
import { inRange } from './inputs.ts';

const CONFIDENCE = '@confidence_minimum';
const DEFAULT_CONFIDENCE = '90';
const LEAST_CONFIDENCE = 25;
const SCORE = 'abuseConfidenceScore';
/** As many as the largest plan gives; a smaller one cuts the list at 10,000 or 100,000. */
const MOST = 500_000;
const PLANS = new Set([10_000, 100_000, MOST]);

/** GET /blacklist, https://docs.abuseipdb.com/#blacklist-endpoint: one call for each confidence_minimum. */
export function abuseipdbBlacklistSource(client: AbuseipdbClient): ScanSource {
  return {
    kind: 'scan',
    quota: client.quota('blacklist'),
    plan: (request) => {
      const { predicates, limit } = request;
      const minima = minimaOf(request);
      return {
        pushed: predicates.map((predicate) =>
          predicate.column.path === CONFIDENCE && predicate.operator === '='
            ? { predicate, exactness: 'exact', as: `confidenceMinimum=${predicate.values.join(', ')}` }
            : { predicate, exactness: predicate.column.path === SCORE ? 'inexact' : 'none' },
        ),
        empty: contradicts(predicates) || minima.length === 0,
        parts: minima.map((minimum) => `confidenceMinimum=${minimum}${limit === undefined ? '' : `, limit=${limit}`}`),
        notices: [],
      };
    },
    keptAs: (request) => {
      const { limit } = request;
      const own = minimaOf(request).join(' ');
      const as = (minimum: string, more: Readonly<Record<string, string>> = {}): KeptAs => ({
        key: '',
        inputs: { '@variant': client.address('blacklist'), confidence_minimum: minimum, ...more },
      });
      // Of all addresses the statement's own conditions leave those that it wants.
      const all = isBoundByScore(request) ? [as(String(LEAST_CONFIDENCE))] : [];
      const kept = [...all, as(own)];
      return limit === undefined ? kept : [...kept, as(own, { '@limit': String(limit) })];
    },
    scan: async function* scan(request, context) {
      for (const minimum of minimaOf(request)) {
        const page = await pageOf(client, minimum, request, context);
        const notice = noticeOf(page.records.length, minimum, request, page.leastScore);
        if (notice !== undefined) context.notice('NOTICE', notice);
        yield page;
      }
    },
    close: () => client.close(),
  };
}

/** Values of the input column, each asked for by itself and echoed. */
function minimaOf(request: ScanRequest): readonly string[] {
  return namesAsked(request.predicates, CONFIDENCE) ?? [leastConfidence(request)];
}

function isBoundByScore(request: ScanRequest): boolean {
  const isNamed = namesAsked(request.predicates, CONFIDENCE) !== undefined;
  return !isNamed && rangeSaid(request, ({ column }) => column.path === SCORE) !== undefined;
}

/** The default, or less where the statement may want scores that it leaves out. */
function leastConfidence(request: ScanRequest): string {
  const said = rangeSaid(request, ({ column }) => column.path === SCORE);
  const isChosen = request.chosenBy?.some(({ path }) => path === SCORE) === true;
  if (said === undefined) return isChosen ? String(LEAST_CONFIDENCE) : DEFAULT_CONFIDENCE;
  return String(Math.min(Number(DEFAULT_CONFIDENCE), Math.max(LEAST_CONFIDENCE, Math.floor(said.start))));
}

async function pageOf(
  client: AbuseipdbClient,
  minimum: string,
  { limit = MOST }: ScanRequest,
  context: Parameters<ScanSource['scan']>[1],
): Promise<Page & { readonly leastScore: number }> {
  const query = {
    confidenceMinimum: inRange('confidence_minimum', minimum, LEAST_CONFIDENCE, 100, client.name),
    limit: String(Math.min(limit, MOST)),
  };
  const { data, bytes } = await client.get('blacklist', query, context);
  if (!Array.isArray(data)) throw noResult(client.name, 'has no list of addresses');
  const entries: readonly unknown[] = data;
  return {
    records: entries.map((value) => recordOf(value, minimum)),
    bytes,
    leastScore: entries.reduce<number>((least, entry) => Math.min(least, scoreOf(entry)), 100),
  };
}

/** What a plan leaves out is not said by the service itself. */
function noticeOf(count: number, minimum: string, { table, limit }: ScanRequest, leastScore: number) {
  if (count > 0 && PLANS.has(count) && (limit ?? MOST) > count)
    return `${table.name} has ${count} addresses with confidence_minimum ${minimum}, which is where AbuseIPDB's plans cut the list: there may be more`;
  if (count > 0 && leastScore === 100 && minimum !== '100' && limit === undefined)
    return `${table.name} has only addresses with a score of 100, although confidence_minimum is ${minimum}: the plan of AbuseIPDB's key may give no others`;
  return undefined;
}

function scoreOf(entry: unknown): number {
  const { abuseConfidenceScore: score } = entry as { readonly abuseConfidenceScore?: unknown };
  const double = nearestDouble(score);
  return typeof double === 'number' ? double : 0;
}

function recordOf(value: unknown, minimum: string): SourceRecord {
  return { value, added: { confidence_minimum: minimum }, origin: () => "an entry of AbuseIPDB's blacklist" };
}
