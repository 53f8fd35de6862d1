import { AwsError, escapeXml, xml } from '../aws/aws-error.ts';
import { assumedKeyId, callerOf, isAssumedKeyId } from '../aws/caller.ts';
import type { Caller } from '../aws/caller.ts';
import type { Operation, Service, ServiceRequest, ServiceResponse } from '../service.ts';
import type { World } from '../world.ts';

const ASSUMED_FOR_MS = 3_600_000;

/** AWS Security Token Service, API version 2011-06-15: AWS Query, answers in XML. */
export class Sts implements Service {
  readonly name = 'sts';
  readonly #world: World;
  readonly #now: () => number;

  constructor(world: World, now: () => number) {
    this.#world = world;
    this.#now = now;
  }

  claims(request: ServiceRequest): boolean {
    return request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  }

  understand(request: ServiceRequest): Operation {
    const form = new URLSearchParams(request.body);
    const operation = form.get('Action') ?? '';
    const caller = this.#caller(request);
    return {
      operation,
      region: caller.region.name,
      accountId: caller.account.accountId,
      key: form.get('RoleArn') ?? undefined,
      answer: () => {
        switch (operation) {
          case 'GetCallerIdentity':
            return getCallerIdentity(caller);
          case 'AssumeRole':
            return this.#assumeRole(form);
          default:
            throw new AwsError('InvalidAction', `Could not find operation ${operation} for version 2011-06-15`);
        }
      },
    };
  }

  /** STS has a name and status of its own for what others call UnrecognizedClientException. */
  #caller(request: ServiceRequest): Caller {
    try {
      return callerOf(request, this.#world);
    } catch (error) {
      throw error instanceof AwsError ? new AwsError('InvalidClientTokenId', error.message, 403) : error;
    }
  }

  #assumeRole(form: URLSearchParams): ServiceResponse {
    const roleArn = form.get('RoleArn') ?? '';
    const session = form.get('RoleSessionName') ?? '';
    const [, accountId, roleName] = /^arn:aws:iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(roleArn) ?? [];
    const account = this.#world.accounts.find((each) => each.accountId === accountId);
    const refused = account?.externalId !== undefined && account.externalId !== form.get('ExternalId');
    if (account === undefined || refused || session === '') {
      throw new AwsError(
        'AccessDenied',
        `User is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`,
        403,
      );
    }
    return result(
      'AssumeRole',
      `<AssumedRoleUser><AssumedRoleId>AROAEXAMPLEROLEID0001:${escapeXml(session)}</AssumedRoleId>` +
        `<Arn>arn:aws:sts::${account.accountId}:assumed-role/${escapeXml(roleName ?? '')}/${escapeXml(session)}</Arn></AssumedRoleUser>` +
        `<Credentials><AccessKeyId>${assumedKeyId(account.accountId)}</AccessKeyId>` +
        `<SecretAccessKey>simulated</SecretAccessKey><SessionToken>simulated</SessionToken>` +
        `<Expiration>${new Date(this.#now() + ASSUMED_FOR_MS).toISOString()}</Expiration></Credentials>`,
    );
  }
}

function getCallerIdentity({ account, accessKeyId }: Caller): ServiceResponse {
  const assumed = isAssumedKeyId(accessKeyId);
  const arn = assumed
    ? `arn:aws:sts::${account.accountId}:assumed-role/hunt/hunt`
    : `arn:aws:iam::${account.accountId}:user/hunter`;
  const userId = assumed ? 'AROAEXAMPLEROLEID0001:hunt' : 'AIDAEXAMPLEUSERID0001';
  return result(
    'GetCallerIdentity',
    `<Arn>${arn}</Arn><UserId>${userId}</UserId><Account>${account.accountId}</Account>`,
  );
}

function result(operation: string, content: string): ServiceResponse {
  return xml(
    `<${operation}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${operation}Result>${content}</${operation}Result>` +
      `<ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata></${operation}Response>`,
  );
}
