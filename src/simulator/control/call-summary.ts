import type { ServiceName } from '../service.ts';
import type { CallLog } from './call-log.ts';

/** A CallLog as plain data, for another process. */
export interface CallSummary {
  readonly services: Readonly<Partial<Record<ServiceName, ServiceSummary>>>;
}

export interface ServiceSummary {
  readonly calls: number;
  readonly answered: number;
  readonly aborted: number;
  readonly open: number;
  readonly maxConcurrency: number;
  readonly operations: Readonly<Record<string, number>>;
  /** How often each address, log group or detector was asked about. */
  readonly keys: Readonly<Record<string, number>>;
}

export function summarize(calls: CallLog): CallSummary {
  const services = [...new Set(calls.all.map(({ service }) => service))];
  return { services: Object.fromEntries(services.map((service) => [service, summarizeService(calls, service)])) };
}

function summarizeService(calls: CallLog, service: ServiceName): ServiceSummary {
  const operations = new Set(calls.all.filter((call) => call.service === service).map(({ operation }) => operation));
  return {
    calls: calls.count({ service }),
    answered: calls.count({ service, state: 'answered' }),
    aborted: calls.count({ service, state: 'aborted' }),
    open: calls.open(service),
    maxConcurrency: calls.maxConcurrency(service),
    operations: Object.fromEntries([...operations].map((name) => [name, calls.count({ service, operation: name })])),
    keys: Object.fromEntries(calls.byKey({ service })),
  };
}
