import { json11 } from '../aws/aws-error.ts';
import { queryId } from '../aws/page-token.ts';
import type { Parameters } from '../aws/parameters.ts';
import type { ServiceResponse } from '../service.ts';
import { pageOf } from './describe-log-groups.ts';
import { findLogGroup, requestedLogGroup } from './find-log-group.ts';
import type { LoadedLogGroup } from './log-groups.ts';

interface Span {
  readonly name: string;
  first?: number;
  last?: number;
}

export function describeLogStreams(parameters: Parameters, groups: readonly LoadedLogGroup[]): ServiceResponse {
  const group = findLogGroup(groups, requestedLogGroup(parameters));
  const prefix = parameters.string('logStreamNamePrefix', 1, 512);
  const orderBy = parameters.string('orderBy') ?? 'LogStreamName';
  const descending = parameters.boolean('descending') ?? false;
  const limit = parameters.integer('limit', 1, 50) ?? 50;
  if (orderBy !== 'LogStreamName' && orderBy !== 'LastEventTime') {
    throw parameters.invalid(`1 validation error detected: Value '${orderBy}' at 'orderBy' is not allowed.`);
  }
  if (orderBy === 'LastEventTime' && prefix !== undefined) {
    throw parameters.invalid('Cannot order by LastEventTime with a logStreamNamePrefix.');
  }
  const found = spans(group)
    .filter(({ name }) => prefix === undefined || name.startsWith(prefix))
    .sort((a, b) => (orderBy === 'LastEventTime' ? (a.last ?? 0) - (b.last ?? 0) : a.name < b.name ? -1 : 1));
  if (descending) found.reverse();
  const query = queryId('streams', group.arn, prefix, orderBy, descending);
  const { page, nextToken } = pageOf(parameters, found, limit, query);
  return json11({
    logStreams: page.map(({ name, first, last }) => ({
      logStreamName: name,
      creationTime: group.creationTime,
      ...(first === undefined || last === undefined
        ? {}
        : { firstEventTimestamp: first, lastEventTimestamp: last, lastIngestionTime: last }),
      arn: `${group.arn}:log-stream:${name}`,
      storedBytes: 0,
    })),
    ...nextToken,
  });
}

function spans({ store }: LoadedLogGroup): Span[] {
  const found: Span[] = store.streams.map((name) => ({ name }));
  for (let position = 0; position < store.size; position += 1) {
    const span = found[store.stream(position)];
    if (span === undefined) continue;
    span.first ??= store.timestamp(position);
    span.last = store.timestamp(position);
  }
  return found;
}
