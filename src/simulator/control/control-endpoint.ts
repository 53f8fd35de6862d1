import type { ServiceRequest, ServiceResponse } from '../service.ts';
import type { CallLog } from './call-log.ts';
import { summarize } from './call-summary.ts';
import type { Fault } from './fault.ts';

interface Controlled {
  readonly calls: CallLog;
  fault(fault: Fault): void;
  clearFaults(): void;
}

/** What a simulator in another process is asked and told by HTTP; undefined: no such request. */
export function control(simulator: Controlled, { method, url, body }: ServiceRequest): ServiceResponse | undefined {
  switch (`${method} ${url.pathname}`) {
    case 'GET /__simulator/calls':
      return json(summarize(simulator.calls));
    case 'POST /__simulator/reset':
      simulator.calls.reset();
      simulator.clearFaults();
      return json({});
    case 'POST /__simulator/fault':
      simulator.fault(JSON.parse(body) as Fault);
      return json({});
    default:
      return undefined;
  }
}

function json(value: unknown): ServiceResponse {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}
