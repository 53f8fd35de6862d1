import type { Parameters } from '../aws/parameters.ts';
import type { Account, Region } from '../world.ts';
import { findTrail } from './find-trail.ts';

const DELIVERED_MS_AGO = 5 * 60_000;

export function getTrailStatus(parameters: Parameters, account: Account, region: Region, now: number): unknown {
  const { isLogging = true, latestDeliveryError } = findTrail(parameters.string('Name') ?? '', account, region);
  return {
    IsLogging: isLogging,
    // Seconds since the epoch, as AWS JSON 1.1 sends times.
    LatestDeliveryTime: Math.floor((now - DELIVERED_MS_AGO) / 1000),
    ...(latestDeliveryError === undefined ? {} : { LatestDeliveryError: latestDeliveryError }),
  };
}
