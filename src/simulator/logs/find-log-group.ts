import { AwsError } from '../aws/aws-error.ts';
import type { Parameters } from '../aws/parameters.ts';
import type { LoadedLogGroup } from './log-groups.ts';

/** What a request names, as it names it. */
export function requestedLogGroup(parameters: Parameters): string {
  const name = parameters.string('logGroupName', 1, 512);
  const identifier = parameters.string('logGroupIdentifier', 1, 2048);
  const requested = name ?? identifier;
  if (requested === undefined || (name !== undefined && identifier !== undefined)) {
    throw parameters.invalid('Exactly one of LogGroupName or LogGroupIdentifier must be provided.');
  }
  return requested;
}

/** By name or ARN. */
export function findLogGroup(groups: readonly LoadedLogGroup[], requested: string): LoadedLogGroup {
  const found = groups.find((group) => group.name === requested || group.arn === requested);
  if (found === undefined) throw new AwsError('ResourceNotFoundException', 'The specified log group does not exist.');
  return found;
}
