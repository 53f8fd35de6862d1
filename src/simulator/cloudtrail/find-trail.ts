import { AwsError } from '../aws/aws-error.ts';
import type { Account, Region, Trail } from '../world.ts';

export function arnOf(trail: Trail, account: Account): string {
  return `arn:aws:cloudtrail:${trail.homeRegion}:${account.accountId}:trail/${trail.name}`;
}

/** By ARN, or by name in its home region: a shadow of another region is only found by its ARN. */
export function findTrail(name: string, account: Account, region: Region): Trail {
  const found = (account.trails ?? []).find(
    (trail) => arnOf(trail, account) === name || (trail.homeRegion === region.name && trail.name === name),
  );
  if (found === undefined) {
    throw new AwsError('TrailNotFoundException', `Unknown trail: ${name} for the user: ${account.accountId}`);
  }
  return found;
}
