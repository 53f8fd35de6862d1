import type { Column, Operator, VirtualTable } from '../../src/catalog/table.ts';
import type {
  CallContext,
  Order,
  Page,
  Predicate,
  QuotaState,
  RateLimit,
  ScanRequest,
  ScanSource,
  SourceRecord,
} from '../../src/sources/source.ts';
import { SourceError } from '../../src/sources/source.ts';

/** What a source is asked with, made by hand: no catalog, no planner, no hydrator. */

export function column(name: string, path: string | undefined, type = 'text'): Column {
  return { name, path, type, attnum: 1, typeOid: 25, notNull: false, operators: [], comment: '' };
}

export function predicate(of: Column, operator: Operator, ...values: string[]): Predicate {
  return { column: of, operator, values };
}

export function table(name: string, columns: readonly Column[] = []): VirtualTable {
  return { schema: 'source', name, oid: 1, source: name, kind: 'scan', ttlMs: 0, columns, comment: '' };
}

export function scanRequest(
  predicates: readonly Predicate[],
  extra: {
    readonly limit?: number;
    readonly table?: string;
    readonly columns?: readonly Column[];
    readonly order?: Order;
  } = {},
): ScanRequest {
  return {
    table: table(extra.table ?? 'cloudtrail_trail_event'),
    columns: [...(extra.columns ?? []), ...predicates.map(({ column: of }) => of)],
    predicates,
    ...(extra.limit !== undefined && { limit: extra.limit }),
    ...(extra.order !== undefined && { order: extra.order }),
  };
}

export interface TestContext extends CallContext {
  readonly notices: { readonly severity: 'NOTICE' | 'WARNING'; readonly message: string }[];
  readonly quotas: (readonly [source: string, state: QuotaState])[];
  readonly places: readonly string[];
  /** The limit of each request, in the order of their admission. */
  readonly limits: RateLimit[];
  /** The connections of calls that waited for nobody. */
  readonly calledOf: string[];
  abort(reason: unknown): void;
}

/** Sends at once, retries what is retryable as often as it is told, waits for nothing. */
export function testContext(options: { readonly attempts?: number; readonly partial?: boolean } = {}): TestContext {
  const controller = new AbortController();
  const notices: TestContext['notices'] = [];
  const limits: RateLimit[] = [];
  const calledOf: string[] = [];
  const quotas: TestContext['quotas'] = [];
  const places: string[] = [];
  return {
    signal: controller.signal,
    notices,
    limits,
    calledOf,
    quotas,
    places,
    searched: (where) => void places.push(where),
    called: (connection) => void calledOf.push(connection),
    quota: ({ source }, state) => void quotas.push([source, state]),
    ...(options.partial !== undefined && { partial: options.partial }),
    abort: (reason) => controller.abort(reason),
    notice: (severity, message) => void notices.push({ severity, message }),
    call: async (limit, send) => {
      for (let attempt = 1; ; attempt += 1) {
        controller.signal.throwIfAborted();
        limits.push(limit);
        try {
          return await send(controller.signal);
        } catch (error) {
          if (controller.signal.aborted) throw controller.signal.reason;
          if (!(error instanceof SourceError) || !error.retryable || attempt >= (options.attempts ?? 1)) throw error;
        }
      }
    },
  };
}

export async function allPages(
  source: ScanSource,
  request: ScanRequest,
  context: CallContext,
): Promise<readonly Page[]> {
  const pages: Page[] = [];
  for await (const page of source.scan(request, context)) pages.push(page);
  return pages;
}

export async function allRecords(
  source: ScanSource,
  request: ScanRequest,
  context: CallContext = testContext(),
): Promise<readonly SourceRecord[]> {
  return (await allPages(source, request, context)).flatMap(({ records }) => records);
}

/** The rejection, or a failure that says that there was none. */
export async function failure(promise: Promise<unknown>): Promise<SourceError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SourceError)) throw new Error('expected a SourceError', { cause: error });
  return error;
}
