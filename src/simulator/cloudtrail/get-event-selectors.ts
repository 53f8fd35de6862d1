import type { Parameters } from '../aws/parameters.ts';
import type { Account, Region } from '../world.ts';
import { arnOf, findTrail } from './find-trail.ts';

/** What a trail records unless it is told otherwise. */
const MANAGEMENT_EVENTS = [
  { ReadWriteType: 'All', IncludeManagementEvents: true, DataResources: [], ExcludeManagementEventSources: [] },
];

export function getEventSelectors(parameters: Parameters, account: Account, region: Region): unknown {
  const trail = findTrail(parameters.string('TrailName') ?? '', account, region);
  const { eventSelectors = MANAGEMENT_EVENTS, advancedEventSelectors } = trail;
  return {
    TrailARN: arnOf(trail, account),
    ...(advancedEventSelectors === undefined
      ? { EventSelectors: eventSelectors }
      : { AdvancedEventSelectors: advancedEventSelectors }),
  };
}
