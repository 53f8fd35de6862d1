import { gzipSync } from 'node:zlib';
import { hash } from '../hash.ts';
import { recordTime } from '../logs/record-time.ts';
import type { TrailFiles } from '../world.ts';

interface TrailFile {
  readonly key: string;
  readonly body: Buffer;
}

const EVERY_MINUTES = 5;
const MAX_DELAY_MS = 15 * 60_000;
const UNIQUE = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/**
 * What a trail delivers of these records: a file an account, region and few minutes, and a digest an account and region,
 * under the names of https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
 */
export function trailFiles(trail: TrailFiles, serial: number, owner: string, region: string): readonly TrailFile[] {
  const files = new Map<string, unknown[]>();
  const digests = new Set<string>();
  const root = `${trail.prefix === undefined ? '' : `${trail.prefix}/`}AWSLogs/${trail.organizationId === undefined ? '' : `${trail.organizationId}/`}`;
  const everyMs = (trail.everyMinutes ?? EVERY_MINUTES) * 60_000;
  trail.records.forEach((record, index) => {
    const text = JSON.stringify(record);
    const { recipientAccountId: account = owner, awsRegion = region } = record as Partial<Record<string, string>>;
    const maxDelay = trail.delivery?.maxDelayMs ?? MAX_DELAY_MS;
    const eventTime = recordTime(text) ?? trail.delivery?.fallbackTime ?? 0;
    const delivered = eventTime + (hash(`${index}:${text.length}`) % (maxDelay + 1));
    const time = new Date(Math.ceil(delivered / everyMs) * everyMs).toISOString();
    const day = time.slice(0, 10);
    const compact = time.replaceAll(/[-:]/g, '');
    const place = `${account}_CloudTrail_${awsRegion}_${compact.slice(0, 13)}Z`;
    const key = `${root}${account}/CloudTrail/${awsRegion}/${day.replaceAll('-', '/')}/${place}_${unique(`${serial}:${place}`)}.json.gz`;
    const records = files.get(key) ?? [];
    records.push(record);
    files.set(key, records);
    digests.add(
      `${root}${account}/CloudTrail-Digest/${awsRegion}/${day.replaceAll('-', '/')}/${account}_CloudTrail-Digest_${awsRegion}_trail-${serial}_${region}_${compact.slice(0, 11)}0000Z.json.gz`,
    );
  });
  return [
    ...[...files].map(([key, records]) => ({ key, body: gzipSync(JSON.stringify({ Records: records })) })),
    ...[...digests].map((key) => ({ key, body: gzipSync('{"digestPublicKeyFingerprint":"made up"}') })),
  ];
}

/** The sixteen characters that tell files of the same minutes apart. */
function unique(place: string): string {
  return Array.from({ length: 16 }, (_, index) => UNIQUE.charAt(hash(`${place}:${index}`) % UNIQUE.length)).join('');
}
