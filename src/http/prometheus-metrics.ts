import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { HYDRATION_SECONDS, type HydrationMetrics } from '../hydrate/metrics.ts';

/** What is read when somebody asks, in place of being counted. */
export interface MeasuredValues {
  connections(): number;
  /** Calls left by source, where the source says it. */
  quotaRemaining(): Iterable<readonly [source: string, remaining: number]>;
}

export interface PrometheusMetrics extends HydrationMetrics {
  /** A statement that names a virtual table has ended. */
  statement(outcome: 'ok' | 'failed'): void;
  measure(values: MeasuredValues): void;
  /** https://prometheus.io/docs/instrumenting/exposition_formats/ */
  text(): Promise<{ readonly contentType: string; readonly body: string }>;
}

export function createPrometheusMetrics(): PrometheusMetrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter<L>({ name: `trailhound_${name}_total`, help, labelNames, registers });

  const statements = counter('statements', 'Statements that name a virtual table', 'outcome');
  const hydrations = counter('hydrations', 'Scans and look-ups of virtual tables', 'table', 'outcome');
  const calls = counter('source_calls', 'Requests sent to sources', 'source', 'status');
  const retries = counter('source_retries', 'Requests sent again', 'source');
  const waits = counter('source_wait_seconds', 'Time spent waiting for rate limits and before retries', 'source');
  const rows = counter('rows', 'Rows fetched', 'table');
  const bytes = counter('bytes', 'Bytes of responses', 'table');
  const hits = counter('cache_hits', 'Keys answered without a request', 'table');
  const seconds = new Histogram({
    name: 'trailhound_hydration_seconds',
    help: 'Duration of one scan or look-up of a virtual table',
    labelNames: ['table'],
    buckets: [...HYDRATION_SECONDS],
    registers,
  });
  let measured: MeasuredValues = { connections: () => 0, quotaRemaining: () => [] };
  new Gauge({
    name: 'trailhound_connections',
    help: 'Clients connected',
    registers,
    collect() {
      this.set(measured.connections());
    },
  });
  new Gauge({
    name: 'trailhound_quota_remaining',
    help: 'Requests that the source still allows, as it said last',
    labelNames: ['source'],
    registers,
    collect() {
      for (const [source, remaining] of measured.quotaRemaining()) this.set({ source }, remaining);
    },
  });
  return {
    statement: (outcome) => statements.inc({ outcome }),
    call: (source, status) => calls.inc({ source, status }),
    retry: (source) => retries.inc({ source }),
    wait: (source, spent) => waits.inc({ source }, spent),
    cached: (table, keys) => hits.inc({ table }, keys),
    hydration: (table, outcome, spent, rowCount, byteCount) => {
      hydrations.inc({ table, outcome });
      rows.inc({ table }, rowCount);
      bytes.inc({ table }, byteCount);
      seconds.observe({ table }, spent);
    },
    measure: (values) => (measured = values),
    text: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}
