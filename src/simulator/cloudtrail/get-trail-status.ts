import type { Parameters } from '../aws/parameters.ts';
import type { Account, Region } from '../world.ts';
import { findTrail } from './find-trail.ts';

const DELIVERED_MINUTES_AGO = 5;

export function getTrailStatus(parameters: Parameters, account: Account, region: Region, now: number): unknown {
  const {
    isLogging = true,
    latestDeliveryError,
    latestDeliveryMinutesAgo = DELIVERED_MINUTES_AGO,
  } = findTrail(parameters.string('Name') ?? '', account, region);
  return {
    IsLogging: isLogging,
    // Seconds since the epoch, as AWS JSON 1.1 sends times.
    LatestDeliveryTime: Math.floor(now / 1000 - latestDeliveryMinutesAgo * 60),
    ...(latestDeliveryError === undefined ? {} : { LatestDeliveryError: latestDeliveryError }),
  };
}
