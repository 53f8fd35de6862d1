import type { Account, Region, World } from '../world.ts';
import type { ServiceRequest } from '../service.ts';
import { AwsError } from './aws-error.ts';

/** Who signed a request, and for which region. */
export interface Caller {
  readonly account: Account;
  readonly accessKeyId: string;
  readonly region: Region;
}

const CREDENTIAL = /^AWS4-HMAC-SHA256 .*Credential=([^/,\s]+)\/\d{8}\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request/;
/** AssumeRole's answer (see sts/): the account stands in the key, so nothing needs to be remembered. */
const ASSUMED = /^ASIA(\d{12})/;

/**
 * From the Authorization header of Signature Version 4. The signature itself is not checked. What AWS answers for no
 * signature, a key that it does not know, and a region that the account has not enabled, is the same for us.
 */
export function callerOf(request: ServiceRequest, world: World): Caller {
  const [, accessKeyId, regionName] = CREDENTIAL.exec(request.headers['authorization'] ?? '') ?? [];
  const account = accessKeyId === undefined ? undefined : accountOf(accessKeyId, world);
  const region = account?.regions.find((each) => each.name === regionName);
  if (accessKeyId === undefined || account === undefined || region === undefined) {
    throw new AwsError('UnrecognizedClientException', 'The security token included in the request is invalid.');
  }
  return { account, accessKeyId, region };
}

function accountOf(accessKeyId: string, world: World): Account | undefined {
  const assumed = ASSUMED.exec(accessKeyId)?.[1];
  return (
    world.accounts.find((account) => account.accessKeyIds?.includes(accessKeyId)) ??
    world.accounts.find((account) => account.accountId === assumed) ??
    world.accounts.find((account) => account.accessKeyIds === undefined)
  );
}

export function assumedKeyId(accountId: string): string {
  // 20 characters, as AWS's are.
  return `ASIA${accountId}0001`;
}

export function isAssumedKeyId(accessKeyId: string): boolean {
  return ASSUMED.test(accessKeyId);
}
