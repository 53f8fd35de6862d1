import { expect, test } from 'vitest';
import { parseTrailPath } from './trail-path.ts';

const DAY = 86_400_000;
const day = (from: number, days = 1) => ({ from, before: from + days * DAY });
const at = Date.UTC(2026, 10, 21, 0, 5);
const NAME = '111122223333_CloudTrail_us-east-1_20261121T0005Z_AbCdEfGh.json.gz';

test.each<[string, object]>([
  ['/x/AWSLogs/', { accountId: undefined, region: undefined, delivered: [] }],
  ['/x/AWSLogs/111122223333/', { accountId: '111122223333', region: undefined, delivered: [] }],
  ['/x/AWSLogs/o-abcdefghij/111122223333/', { accountId: '111122223333' }],
  ['/AWSLogs/111122223333/CloudTrail/eu-west-1/', { accountId: '111122223333', region: 'eu-west-1', delivered: [] }],
  ['/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/', { delivered: [day(Date.UTC(2026, 0), 365)] }],
  ['/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/02/', { delivered: [day(Date.UTC(2026, 1), 28)] }],
  ['/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/21/', { delivered: [day(Date.UTC(2026, 10, 21))] }],
  ['/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/13/', { region: 'eu-west-1', delivered: [] }],
  ['/AWSLogs/111122223333/CloudTrail/elsewhere/2026/', { region: undefined }],
  ['/AWSLogs/111122223333/CloudTrail-NetworkActivity/eu-west-1/', { region: 'eu-west-1', eventless: false }],
  ['/AWSLogs/111122223333/CloudTrail-Digest/', { eventless: true }],
  ['/AWSLogs/111122223333/CloudTrail-Insight/us-east-1/2026/', { eventless: true }],
  ['/AWSLogs/111122223333/GuardDuty/us-east-1/2026/', { accountId: '111122223333', region: undefined, delivered: [] }],
  ['/AWSLogs/copy/AWSLogs/111122223333/CloudTrail/us-east-1/', { accountId: '111122223333', region: 'us-east-1' }],
  [
    `/AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/21/${NAME}`,
    { delivered: [day(Date.UTC(2026, 10, 21)), { from: at, before: at + 60_000 }], eventless: false },
  ],
  [
    `/case 7/${NAME}`,
    { accountId: '111122223333', region: 'us-east-1', delivered: [{ from: at, before: at + 60_000 }] },
  ],
  ['/case 7/111122223333_CloudTrail-Digest_us-east-1_all_us-east-1_20261121T000500Z.json.gz', { eventless: true }],
  ['/case 7/CloudTrail-Digestive.json', { accountId: undefined, eventless: false }],
  ['/case 7/a.json', { accountId: undefined, region: undefined, delivered: [], eventless: false }],
])('%s', (path, expected) => {
  expect(parseTrailPath(path)).toMatchObject(expected);
});
