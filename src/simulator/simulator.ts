import { setTimeout as sleep } from 'node:timers/promises';
import { AccountManagement } from './account/account-management.ts';
import { AbuseIpdb } from './abuseipdb/abuseipdb.ts';
import { errorResponse } from './abuseipdb/respond.ts';
import { AwsError, awsErrorResponse } from './aws/aws-error.ts';
import { CloudTrail } from './cloudtrail/cloudtrail.ts';
import { CallLog } from './control/call-log.ts';
import { control } from './control/control-endpoint.ts';
import { Faults, failureResponse, htmlResponse, throttleResponse } from './control/fault.ts';
import type { Fault, FaultEffect } from './control/fault.ts';
import { RateLimiter } from './control/rate-limiter.ts';
import { GuardDuty } from './guardduty/guardduty.ts';
import { close, listen } from './http-server.ts';
import type { Reply } from './http-server.ts';
import { LogGroups } from './logs/log-groups.ts';
import { Logs } from './logs/logs.ts';
import type { SimulatorOptions } from './options.ts';
import type { Operation, Service, ServiceName, ServiceRequest, ServiceResponse } from './service.ts';
import { S3 } from './s3/s3.ts';
import { Sts } from './sts/sts.ts';
import type { World } from './world.ts';

/** AWS and AbuseIPDB on loopback, for the demo, tests and benchmarks. */
export interface Simulator {
  /** `http://127.0.0.1:<port>`: AWS_ENDPOINT_URL, or a client's `endpoint`. */
  readonly url: string;
  /** ABUSEIPDB_URL. */
  readonly abuseipdbUrl: string;
  readonly calls: CallLog;
  /** The next requests that fit get this instead of their answer. */
  fault(fault: Fault): void;
  clearFaults(): void;
  /** Milliseconds; of requests that arrive from now on. */
  setLatency(service: ServiceName, milliseconds: number): void;
  /** Requests that arrive from now on are answered once the returned function has been called. */
  hold(service: ServiceName): () => void;
  /** Requests a second; undefined: no limit. */
  setRateLimit(service: ServiceName, requestsPerSecond: number | undefined): void;
  /** Another world in place of the one served so far. */
  load(world: World): Promise<void>;
  /** Closes every connection, also those of requests in work. */
  close(): Promise<void>;
}

export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const now = options.now ?? Date.now;
  const { notEqualMatchesMissing } = options;
  const servicesOf = async (world: World): Promise<readonly Service[]> => {
    const logGroups = await LogGroups.load(world);
    return [
      new Logs(world, logGroups, { ...options.logs, notEqualMatchesMissing }),
      await GuardDuty.load(world, { notEqualMatchesMissing }),
      new CloudTrail(world, now, logGroups),
      new AccountManagement(world),
      new Sts(world, now),
      new S3(world, options.s3?.pageSize),
      new AbuseIpdb(world.abuseipdb ?? {}, now),
    ];
  };
  let services = await servicesOf(options.world);
  const calls = new CallLog();
  const faults = new Faults();
  const limiter = new RateLimiter(() => performance.now());
  const latency = new Map(Object.entries(options.latency ?? {}) as [ServiceName, number][]);
  const holds = new Map<ServiceName, Hold>();
  const rateLimits = new Map(Object.entries(options.rateLimits ?? {}) as [ServiceName, number][]);

  const controlled = {
    calls,
    fault: (fault: Fault) => {
      faults.add(fault);
    },
    clearFaults: () => {
      faults.clear();
    },
  };

  /** A response to send, or what to do instead. */
  function decide(service: ServiceName, operation: Operation): ServiceResponse | FaultEffect {
    const effect = faults.take(service, operation);
    const limit = rateLimits.get(service);
    const limited =
      limit !== undefined &&
      !limiter.admits(`${service}/${operation.operation}/${operation.accountId}/${operation.region}`, limit);
    if (effect !== undefined) return respondTo(effect, service, now()) ?? effect;
    return limited ? throttleResponse(service, now()) : answer(service, operation);
  }

  async function handle(request: ServiceRequest, reply: Reply, gone: AbortSignal): Promise<void> {
    const service = services.find((each) => each.claims(request));
    if (service === undefined) {
      reply.send(control(controlled, request) ?? errorResponse(404, 'The simulator serves nothing here.'));
      return;
    }
    const operation = understand(service, request);
    const { operation: name, region, key } = operation;
    const end = calls.begin({ service: service.name, operation: name, region, key });
    gone.addEventListener('abort', () => {
      end('aborted');
    });
    const decided = decide(service.name, operation);
    const wait = latency.get(service.name) ?? 0;
    if (wait > 0) await sleep(wait, undefined, { signal: gone }).catch(() => undefined);
    await holds.get(service.name)?.released;
    if (gone.aborted) return;
    if (!('kind' in decided)) {
      // Counted before the client can know: a test that has its answer finds the call ended.
      end('answered', decided.status);
      reply.send(decided);
    } else if (decided.kind === 'close_midway') {
      end('dropped', 200);
      reply.sendHalf(answer(service.name, operation));
    } else if (decided.kind === 'close_socket') {
      end('dropped');
      reply.drop();
    }
    // What is left is 'hang': the client or close() ends it.
  }

  const { server, url } = await listen(handle);
  return {
    url,
    abuseipdbUrl: `${url}/api/v2`,
    ...controlled,
    setLatency: (service, milliseconds) => {
      latency.set(service, milliseconds);
    },
    hold: (service) => {
      const held = hold();
      holds.set(service, held);
      return () => {
        if (holds.get(service) === held) holds.delete(service);
        held.release();
      };
    },
    setRateLimit: (service, requestsPerSecond) => {
      if (requestsPerSecond === undefined) rateLimits.delete(service);
      else rateLimits.set(service, requestsPerSecond);
    },
    load: async (world) => {
      services = await servicesOf(world);
    },
    close: () => close(server),
  };
}

interface Hold {
  readonly released: Promise<void>;
  readonly release: () => void;
}

function hold(): Hold {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  return { released, release };
}

/** A request that its service refuses outright is an operation as well, whose answer is the refusal. */
function understand(service: Service, request: ServiceRequest): Operation {
  try {
    return service.understand(request);
  } catch (error) {
    return {
      operation: 'refused',
      answer: () => {
        throw error;
      },
    };
  }
}

function answer(service: ServiceName, operation: Operation): ServiceResponse {
  try {
    return operation.answer();
  } catch (error) {
    if (error instanceof AwsError && service !== 'abuseipdb') return awsErrorResponse(service, error);
    // A fault of the simulator itself must be seen as one.
    return failureResponse(service, { kind: 'error', status: 500, message: `simulator: ${String(error)}` });
  }
}

/** Undefined: nothing (whole) is sent. */
function respondTo(effect: FaultEffect, service: ServiceName, now: number): ServiceResponse | undefined {
  switch (effect.kind) {
    case 'error':
      return failureResponse(service, effect);
    case 'throttle':
      return throttleResponse(service, now, effect.retryAfterSeconds);
    case 'invalid_json':
      return { status: 200, headers: { 'content-type': 'application/json' }, body: '{"data":{"ipAddress":"2' };
    case 'html':
      return htmlResponse(200);
    case 'hang':
    case 'close_socket':
    case 'close_midway':
      return undefined;
  }
}
