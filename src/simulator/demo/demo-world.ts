import type { World } from '../world.ts';
import { ACCOUNT_ID, REGIONS } from './account.ts';
import { abuseIpdbAnswers } from './addresses.ts';
import { DETECTORS, findingsOf } from './findings.ts';
import { INTRUSION_HOURS_AGO, STOPPED_MINUTES, STOPPED_TRAIL, intrusion, stolenObjects } from './intrusion.ts';
import { dataTraffic, managementTraffic } from './normal-traffic.ts';
import { toRecord } from './record.ts';
import type { DemoEvent } from './record.ts';

/** Where both trails put their files: what the log groups have, by the hour. */
export const TRAIL_BUCKET = 'cloudtrail-111122223333';

const HOUR_MS = 3_600_000;
/** Shorter than real ones, so that the week's last events have arrived. */
const MAX_DELAY_MS = 5 * 60_000;

/**
 * A made-up week of account 111122223333, about 3,000 events, that ends shortly before `now`: ordinary traffic of
 * people, pipelines and AWS services, and an intrusion by a leaked access key. The same for the same `now`.
 *
 * us-east-1 has the log group CloudTrail/GlobalServiceEvents (management events of all regions), eu-west-1 has
 * CloudTrail/eu-data-events (reads and writes of one bucket).
 */
export function demoWorld(now: Date): World {
  const from = new Date(now.getTime() - 6.9 * 24 * HOUR_MS);
  const to = new Date(now.getTime() - HOUR_MS / 4);
  const management = [...managementTraffic(from, to), ...intrusion(now)];
  const data = [...dataTraffic(from, to).filter(({ time }) => !unrecorded(time, now)), ...stolenObjects(now)];
  const groups = {
    'us-east-1': { name: 'CloudTrail/GlobalServiceEvents', events: logEvents(management, 0) },
    'eu-west-1': { name: 'CloudTrail/eu-data-events', events: logEvents(data, management.length) },
  };
  return {
    accounts: [
      {
        accountId: ACCOUNT_ID,
        buckets: [
          {
            name: TRAIL_BUCKET,
            region: 'us-east-1',
            trails: Object.values(groups).map(({ events }) => ({ ...events, everyMinutes: 60 })),
          },
        ],
        regions: REGIONS.map((name) => ({
          name,
          logGroups: name === 'us-east-1' || name === 'eu-west-1' ? [groups[name]] : [],
          detectors: detectorsOf(name, now),
        })),
        trails: [
          {
            name: 'management-events',
            homeRegion: 'us-east-1',
            s3BucketName: TRAIL_BUCKET,
            logGroupName: 'CloudTrail/GlobalServiceEvents',
            isMultiRegionTrail: true,
          },
          {
            name: STOPPED_TRAIL,
            homeRegion: 'eu-west-1',
            s3BucketName: TRAIL_BUCKET,
            logGroupName: 'CloudTrail/eu-data-events',
            advancedEventSelectors: DATA_EVENTS,
          },
        ],
      },
    ],
    abuseipdb: { dailyLimit: FREE_PLAN, check: abuseIpdbAnswers(now) },
  };
}

/** https://www.abuseipdb.com/pricing */
const FREE_PLAN = { check: 1_000, 'check-block': 100, blacklist: 5, reports: 100 };

/** Of one bucket, and nothing else. */
const DATA_EVENTS = [
  {
    Name: 'Objects in one bucket',
    FieldSelectors: [
      { Field: 'eventCategory', Equals: ['Data'] },
      { Field: 'resources.type', Equals: ['AWS::S3::Object'] },
    ],
  },
];

function detectorsOf(region: string, now: Date) {
  const detectorId = DETECTORS[region];
  return detectorId === undefined ? [] : [{ detectorId, findings: { records: findingsOf(region, now) } }];
}

/** As CloudTrail does, in the order in which things happened. */
function logEvents(events: readonly DemoEvent[], firstSerial: number) {
  const ordered = events.toSorted((a, b) => a.time.getTime() - b.time.getTime());
  return {
    records: ordered.map((event, index) => toRecord(event, firstSerial + index)),
    delivery: { maxDelayMs: MAX_DELAY_MS },
  };
}

function unrecorded(time: Date, now: Date): boolean {
  const minute = (time.getTime() - now.getTime()) / 60_000 + INTRUSION_HOURS_AGO * 60;
  return minute >= STOPPED_MINUTES.from && minute < STOPPED_MINUTES.to;
}
