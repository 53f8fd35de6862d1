import { isRegionName } from '../regions.ts';

/**
 * What a path says of the CloudTrail records below it, where it follows the names that CloudTrail gives its log files:
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-find-log-files.html
 *
 * `AWSLogs/[o-<organization>/]<account>/CloudTrail/<region>/<yyyy>/<mm>/<dd>/`, and in it
 * `<account>_CloudTrail_<region>_<yyyymmdd>T<hhmm>Z_<unique>.json.gz`.
 */
export interface TrailPath {
  readonly accountId: string | undefined;
  readonly region: string | undefined;
  /** When the files below it were delivered: each of these holds. Milliseconds since the epoch, the end exclusive. */
  readonly delivered: readonly { readonly from: number; readonly before: number }[];
  /** Digests and insights hold no record of an event. */
  readonly eventless: boolean;
}

/** Network activity events have folders of their own. */
const EVENTS = /^CloudTrail(?:-NetworkActivity)?$/;
const EVENTLESS = /(?:^|_)CloudTrail-(?:Digest|Insight)(?:_|$)/;
const FILE_NAME = /^(\d{12})_CloudTrail(?:-NetworkActivity)?_([a-z0-9-]+)_(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)Z_/;
const ACCOUNT = /^\d{12}$/;
const ORGANIZATION = /^o-[a-z0-9]{10,32}$/;
const MINUTE_MS = 60_000;

/** What folders alone say; files that follow one another mostly lie in the same one. */
interface Folder {
  readonly text: string;
  readonly account: string | undefined;
  /** Of CloudTrail's own folders, as are its days. */
  readonly region: string | undefined;
  readonly delivered: TrailPath['delivered'];
  readonly eventless: boolean;
}

let lastFolder: Folder | undefined;

/** `path`: of a file, or of a folder with a slash at its end. */
export function parseTrailPath(path: string): TrailPath {
  const nameAt = path.lastIndexOf('/') + 1;
  const folder = folderOf(path.slice(0, nameAt));
  const fileName = path.slice(nameAt);
  const file = FILE_NAME.exec(fileName);
  const fromFile = file?.[2] !== undefined && isRegionName(file[2]) ? file : null;
  return {
    accountId: folder.account ?? fromFile?.[1],
    region: folder.region ?? fromFile?.[2],
    delivered: fromFile === null ? folder.delivered : [...folder.delivered, ...minuteOf(fromFile)],
    eventless: folder.eventless || EVENTLESS.test(fileName),
  };
}

function folderOf(text: string): Folder {
  if (lastFolder?.text === text) return lastFolder;
  const folders = text.split('/');
  const [account, service, region, ...date] = belowAwsLogs(folders);
  const isTrail = service !== undefined && EVENTS.test(service);
  lastFolder = {
    text,
    account,
    region: isTrail && region !== undefined && isRegionName(region) ? region : undefined,
    // What follows the last slash is no folder.
    delivered: isTrail ? daysOf(date.slice(0, -1)) : [],
    eventless: folders.some((name) => EVENTLESS.test(name)),
  };
  return lastFolder;
}

/** The names from the account's on, of the first AWSLogs that has one. */
function belowAwsLogs(folders: readonly string[]): readonly string[] {
  for (let index = folders.indexOf('AWSLogs'); index >= 0; index = folders.indexOf('AWSLogs', index + 1)) {
    const account = ORGANIZATION.test(folders[index + 1] ?? '') ? index + 2 : index + 1;
    if (ACCOUNT.test(folders[account] ?? '')) return folders.slice(account);
  }
  return [];
}

/** A year's, a month's or a day's folder. */
function daysOf([year = '', month, day]: readonly string[]): TrailPath['delivered'] {
  const [y, m, d] = [Number(year), Number(month ?? '1'), Number(day ?? '1')];
  if (!/^\d{4}$/.test(year) || (month !== undefined && !/^(0[1-9]|1[0-2])$/.test(month))) return [];
  if (day !== undefined && !/^(0[1-9]|[12]\d|3[01])$/.test(day)) return [];
  const before =
    month === undefined ? Date.UTC(y + 1, 0) : day === undefined ? Date.UTC(y, m) : Date.UTC(y, m - 1, d + 1);
  return [{ from: Date.UTC(y, m - 1, d), before }];
}

function minuteOf([, , , year, month, day, hour, minute]: readonly string[]): TrailPath['delivered'] {
  const from = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute));
  return [{ from, before: from + MINUTE_MS }];
}
