import type { Parameters } from '../aws/parameters.ts';
import type { Account, Region } from '../world.ts';
import { arnOf } from './find-trail.ts';

/** The trails of the region and, as shadows, those of other regions that cover it. */
export function describeTrails(parameters: Parameters, account: Account, region: Region): unknown {
  const names = parameters.strings('trailNameList', 0, 1_000) ?? [];
  const shadows = parameters.boolean('includeShadowTrails') ?? true;
  const trails = (account.trails ?? []).filter((trail) => {
    if (names.length > 0) {
      return names.includes(arnOf(trail, account)) || (trail.homeRegion === region.name && names.includes(trail.name));
    }
    return trail.homeRegion === region.name || (shadows && trail.isMultiRegionTrail === true);
  });
  return {
    trailList: trails.map((trail) => ({
      Name: trail.name,
      S3BucketName: trail.s3BucketName ?? `${trail.name}-${account.accountId}`,
      IncludeGlobalServiceEvents: true,
      IsMultiRegionTrail: trail.isMultiRegionTrail ?? false,
      HomeRegion: trail.homeRegion,
      TrailARN: arnOf(trail, account),
      LogFileValidationEnabled: trail.logFileValidationEnabled ?? true,
      ...(trail.logGroupName === undefined
        ? {}
        : {
            CloudWatchLogsLogGroupArn: `arn:aws:logs:${trail.homeRegion}:${account.accountId}:log-group:${trail.logGroupName}:*`,
            CloudWatchLogsRoleArn: `arn:aws:iam::${account.accountId}:role/CloudTrail_CloudWatchLogs_Role`,
          }),
      HasCustomEventSelectors: (trail.eventSelectors ?? trail.advancedEventSelectors) !== undefined,
      HasInsightSelectors: false,
      IsOrganizationTrail: trail.isOrganizationTrail ?? false,
    })),
  };
}
