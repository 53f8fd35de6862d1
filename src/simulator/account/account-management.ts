import { AwsError, restJson } from '../aws/aws-error.ts';
import { callerOf } from '../aws/caller.ts';
import { decodeToken, encodeToken, queryId } from '../aws/page-token.ts';
import { Parameters } from '../aws/parameters.ts';
import type { Operation, Service, ServiceRequest, ServiceResponse } from '../service.ts';
import type { Account, World } from '../world.ts';

/** AWS Account Management, API version 2021-02-01, REST-JSON: ListRegions. */
export class AccountManagement implements Service {
  readonly name = 'account';
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  claims(request: ServiceRequest): boolean {
    return request.method === 'POST' && request.url.pathname === '/listRegions';
  }

  understand(request: ServiceRequest): Operation {
    const { account, region } = callerOf(request, this.#world);
    const parameters = Parameters.parse(request.body, 'ValidationException');
    return {
      operation: 'ListRegions',
      region: region.name,
      accountId: account.accountId,
      answer: () => listRegions(parameters, account),
    };
  }
}

/** Opt-in regions that an account has not enabled: they are listed, too. */
const NOT_ENABLED = ['af-south-1', 'ap-east-1', 'eu-south-1', 'me-south-1'];

function listRegions(parameters: Parameters, account: Account): ServiceResponse {
  const statuses = parameters.strings('RegionOptStatusContains', 0, 5) ?? [];
  const limit = parameters.integer('MaxResults', 1, 50) ?? 20;
  const enabled = account.regions.map(({ name }) => name);
  const all = [
    ...enabled.map((name) => ({ RegionName: name, RegionOptStatus: 'ENABLED_BY_DEFAULT' })),
    ...NOT_ENABLED.filter((name) => !enabled.includes(name)).map((name) => ({
      RegionName: name,
      RegionOptStatus: 'DISABLED',
    })),
  ]
    .filter(({ RegionOptStatus }) => statuses.length === 0 || statuses.includes(RegionOptStatus))
    .sort((a, b) => (a.RegionName < b.RegionName ? -1 : 1));
  const query = queryId('regions', account.accountId, statuses);
  const token = parameters.string('NextToken', 0);
  const from = token === undefined ? { position: 0 } : decodeToken(token, query);
  if (from === undefined) throw new AwsError('ValidationException', 'NextToken is not valid.');
  const next = from.position + limit;
  return restJson({
    Regions: all.slice(from.position, next),
    ...(next < all.length ? { NextToken: encodeToken({ query, position: next, serial: 0 }) } : {}),
  });
}
