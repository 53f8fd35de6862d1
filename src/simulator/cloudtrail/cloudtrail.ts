import { AwsError, json11 } from '../aws/aws-error.ts';
import { callerOf } from '../aws/caller.ts';
import { Parameters } from '../aws/parameters.ts';
import type { Operation, Service, ServiceRequest } from '../service.ts';
import type { LogGroups } from '../logs/log-groups.ts';
import type { World } from '../world.ts';
import { describeTrails } from './describe-trails.ts';
import { EventHistory } from './event-history.ts';
import { getEventSelectors } from './get-event-selectors.ts';
import { getTrailStatus } from './get-trail-status.ts';
import { lookupEvents } from './lookup-events.ts';

/** AWS CloudTrail, API version 2013-11-01, AWS JSON 1.1. */
export class CloudTrail implements Service {
  readonly name = 'cloudtrail';
  readonly #world: World;
  readonly #now: () => number;

  readonly #history: EventHistory;

  /** The history holds what the log groups do. */
  constructor(world: World, now: () => number, logGroups: LogGroups) {
    this.#world = world;
    this.#now = now;
    this.#history = new EventHistory(logGroups);
  }

  claims(request: ServiceRequest): boolean {
    // SDKs send the short name; both are served.
    return /^(com\.amazonaws\.cloudtrail\.v20131101\.)?CloudTrail_20131101\./.test(
      request.headers['x-amz-target'] ?? '',
    );
  }

  understand(request: ServiceRequest): Operation {
    const operation = request.headers['x-amz-target']?.split('.').at(-1) ?? '';
    const { account, region } = callerOf(request, this.#world);
    const parameters = Parameters.parse(request.body, 'InvalidTrailNameException');
    return {
      operation,
      region: region.name,
      accountId: account.accountId,
      answer: () => {
        if (operation === 'LookupEvents')
          return json11(lookupEvents(parameters, this.#history.of(account, region), this.#now()));
        if (operation === 'DescribeTrails') return json11(describeTrails(parameters, account, region));
        if (operation === 'GetTrailStatus') return json11(getTrailStatus(parameters, account, region, this.#now()));
        if (operation === 'GetEventSelectors') return json11(getEventSelectors(parameters, account, region));
        throw new AwsError('UnknownOperationException', `the simulator does not know ${operation}`);
      },
    };
  }
}
