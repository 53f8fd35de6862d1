import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { World } from '../simulator/world.ts';

interface DemoRecord {
  readonly eventTime: string;
  readonly awsRegion: string;
}

/**
 * The events of a world's log groups once more, as CloudTrail delivers them to S3 and people copy them: a file a region
 * and day. Whatever stood in the folder before is removed.
 */
export async function writeEvidence(world: World, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  for (const { accountId, regions } of world.accounts) {
    const files = new Map<string, DemoRecord[]>();
    const groups = regions.flatMap(({ logGroups = [] }) => logGroups);
    for (const record of groups.flatMap(({ events }) =>
      'records' in events ? (events.records as DemoRecord[]) : [],
    )) {
      const day = record.eventTime.slice(0, 10);
      const directory = path.join('AWSLogs', accountId, 'CloudTrail', record.awsRegion, ...day.split('-'));
      const name = `${accountId}_CloudTrail_${record.awsRegion}_${day.replaceAll('-', '')}T2359Z_MadeUpForTheDemo.json.gz`;
      const file = path.join(directory, name);
      const inFile = files.get(file);
      if (inFile === undefined) files.set(file, [record]);
      else inFile.push(record);
    }
    for (const [file, records] of files) {
      await mkdir(path.join(folder, path.dirname(file)), { recursive: true, mode: 0o700 });
      await writeFile(path.join(folder, file), gzipSync(JSON.stringify({ Records: records })), { mode: 0o600 });
    }
  }
}
