import { AwsError } from '../aws/aws-error.ts';
import { callerOf } from '../aws/caller.ts';
import { Parameters } from '../aws/parameters.ts';
import type { Operation, Service, ServiceRequest, ServiceResponse } from '../service.ts';
import type { World } from '../world.ts';
import { describeLogGroups } from './describe-log-groups.ts';
import { describeLogStreams } from './describe-log-streams.ts';
import { FilterLogEvents } from './filter-log-events.ts';
import type { FilterLogEventsOptions } from './filter-log-events.ts';
import type { LoadedLogGroup, LogGroups } from './log-groups.ts';

const TARGET = 'Logs_20140328.';

/** Amazon CloudWatch Logs, API version 2014-03-28, AWS JSON 1.1. */
export class Logs implements Service {
  readonly name = 'logs';
  readonly #world: World;
  readonly #groups: LogGroups;
  readonly #filterLogEvents: FilterLogEvents;

  constructor(world: World, groups: LogGroups, options: FilterLogEventsOptions) {
    this.#world = world;
    this.#groups = groups;
    this.#filterLogEvents = new FilterLogEvents(options);
  }

  claims(request: ServiceRequest): boolean {
    return request.headers['x-amz-target']?.startsWith(TARGET) === true;
  }

  understand(request: ServiceRequest): Operation {
    const operation = request.headers['x-amz-target']?.slice(TARGET.length) ?? '';
    const { account, region } = callerOf(request, this.#world);
    const parameters = Parameters.parse(request.body, 'InvalidParameterException');
    const key = parameters.get('logGroupName') ?? parameters.get('logGroupIdentifier');
    return {
      operation,
      region: region.name,
      accountId: account.accountId,
      key: typeof key === 'string' ? key : undefined,
      answer: () => this.#answer(operation, parameters, this.#groups.of(account, region)),
    };
  }

  #answer(operation: string, parameters: Parameters, groups: readonly LoadedLogGroup[]): ServiceResponse {
    switch (operation) {
      case 'FilterLogEvents':
        return this.#filterLogEvents.answer(parameters, groups);
      case 'DescribeLogGroups':
        return describeLogGroups(parameters, groups);
      case 'DescribeLogStreams':
        return describeLogStreams(parameters, groups);
      default:
        throw new AwsError('UnknownOperationException', `the simulator does not know ${operation}`);
    }
  }
}
