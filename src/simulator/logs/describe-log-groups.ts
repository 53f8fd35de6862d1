import { json11 } from '../aws/aws-error.ts';
import { decodeToken, encodeToken, queryId } from '../aws/page-token.ts';
import type { Parameters } from '../aws/parameters.ts';
import type { ServiceResponse } from '../service.ts';
import type { LoadedLogGroup } from './log-groups.ts';

export function describeLogGroups(parameters: Parameters, groups: readonly LoadedLogGroup[]): ServiceResponse {
  const prefix = parameters.string('logGroupNamePrefix', 1, 512);
  const pattern = parameters.string('logGroupNamePattern', 0, 512);
  const identifiers = parameters.strings('logGroupIdentifiers', 1, 50);
  const limit = parameters.integer('limit', 1, 50) ?? 50;
  if (prefix !== undefined && pattern !== undefined) {
    throw parameters.invalid('LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.');
  }
  const found = groups.filter(
    ({ name, arn }) =>
      (prefix === undefined || name.startsWith(prefix)) &&
      (pattern === undefined || name.includes(pattern)) &&
      (identifiers === undefined || identifiers.includes(name) || identifiers.includes(arn)),
  );
  const { page, nextToken } = pageOf(parameters, found, limit, queryId('groups', prefix, pattern, identifiers));
  return json11({
    logGroups: page.map(({ name, arn, creationTime, store }) => ({
      logGroupName: name,
      creationTime,
      arn: `${arn}:*`,
      ...(pattern === undefined
        ? { metricFilterCount: 0, storedBytes: store.bytes, logGroupClass: 'STANDARD', logGroupArn: arn }
        : {}),
    })),
    ...nextToken,
  });
}

/** A page of a list that lies in memory, and the token for what follows. */
export function pageOf<T>(
  parameters: Parameters,
  all: readonly T[],
  limit: number,
  query: string,
): { readonly page: readonly T[]; readonly nextToken: { readonly nextToken?: string } } {
  const token = parameters.string('nextToken');
  const decoded = token === undefined ? { position: 0 } : decodeToken(token, query);
  if (decoded === undefined) throw parameters.invalid('The specified nextToken is invalid.');
  const next = decoded.position + limit;
  return {
    page: all.slice(decoded.position, next),
    nextToken: next < all.length ? { nextToken: encodeToken({ query, position: next, serial: 0 }) } : {},
  };
}
