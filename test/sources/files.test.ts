import { chmod, mkdir, mkdtemp, readdir, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as zlib from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FilesConnection } from '../../src/sources/files/connection.ts';
import { filesSource } from '../../src/sources/files/source.ts';
import type { Predicate } from '../../src/sources/source.ts';
import {
  allPages,
  allRecords,
  column,
  failure,
  predicate,
  scanRequest,
  testContext,
} from '../support/source-harness.ts';

const EVENT_ID = column('event_id', 'eventID');
const PATH = column('path', '@path');
const REGION = column('region', '@region');
const ACCOUNT_ID = column('account_id', '@account_id');
const EVENT_TIME = column('event_time', 'eventTime', 'timestamp with time zone');
const CONNECTION_NAME = column('connection_name', '@connection_name');
const LOG_GROUP_NAME = column('log_group_name', '@log_group_name');

let folder: string;

function localFiles(connections: readonly FilesConnection[]) {
  return filesSource(connections, () => {
    throw new Error('no bucket is read here');
  });
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trailhound-files-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const event = (eventID: string, eventTime = '2026-11-20T10:00:00Z') => ({
  eventID,
  eventTime,
  eventName: 'CreateUser',
});
const records = (...ids: readonly string[]) => JSON.stringify({ Records: ids.map((id) => event(id)) });

async function write(path: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), content);
}

function connection(paths: readonly string[], more: Partial<FilesConnection> = {}): FilesConnection {
  return { name: 'evidence', paths: paths.map((path) => folder + path), deliverySlackMs: 86_400_000, ...more };
}

function request(...predicates: readonly Predicate[]) {
  return scanRequest(predicates, { table: 'cloudtrail_file_event', columns: [EVENT_ID] });
}

/** Ids of the events, and what else was said. */
async function read(of: FilesConnection, predicates: readonly Predicate[] = [], context = testContext()) {
  const found = await allRecords(localFiles([of]), request(...predicates), context);
  return {
    ids: found.map(({ value }) => (value as { eventID: string }).eventID).sort(),
    notices: context.notices.map(({ severity, message }) => `${severity}: ${message.replaceAll(folder, '')}`),
    opened: context.calledOf.length,
    found,
  };
}

describe('the shapes of records', () => {
  const line = (id: string) => JSON.stringify(event(id));
  const envelope = (id: string) => JSON.stringify({ 'detail-type': 'AWS API Call via CloudTrail', detail: event(id) });
  /** As `aws cloudtrail lookup-events` prints it. */
  const lookedUp = (id: string) => ({
    EventId: id,
    EventTime: '2026-11-20T11:00:00+01:00',
    ReadOnly: 'false',
    Resources: [],
    CloudTrailEvent: line(id),
  });

  test.each<[string, string | Buffer]>([
    ['a.json', records('1', '2')],
    ['pretty.json', JSON.stringify({ Records: [event('1'), event('2')] }, null, 2)],
    ['a.json.gz', zlib.gzipSync(records('1', '2'))],
    ['unpacked.json.gz', records('1', '2')],
    ['members.json.gz', Buffer.concat([zlib.gzipSync(records('1')), zlib.gzipSync(`\n${records('2')}`)])],
    ['a.jsonl', `${line('1')}\n${line('2')}\n`],
    ['a.ndjson', `\uFEFF${line('1')}\r\n${line('2')}`],
    ['list.json', `[${line('1')},\n${line('2')}]`],
    ['envelopes.jsonl', `${envelope('1')}\n${envelope('2')}\n`],
    ['looked-up.json', JSON.stringify({ Events: [lookedUp('1'), lookedUp('2')], NextToken: 'x' }, null, 4)],
    ['looked-up.jsonl', `${JSON.stringify(lookedUp('1'))}\n${JSON.stringify(lookedUp('2'))}\n`],
    ['000000.gz', zlib.gzipSync(`2026-11-20T10:00:00.125Z ${line('1')}\n2026-11-20T10:00:01.000Z ${line('2')}\n`)],
  ])('%s', async (name, content) => {
    await write(name, content);
    const { ids, notices } = await read(connection(['/*']));
    expect({ ids, notices }).toEqual({ ids: ['1', '2'], notices: [] });
  });

  test('an empty file, and one whose Records are empty, hold nothing', async () => {
    await write('a.json', '');
    await write('b.json.gz', zlib.gzipSync(''));
    await write('c.json', '{"Records":[]}');
    expect(await read(connection(['/*']))).toMatchObject({ ids: [], notices: [], opened: 3 });
  });

  test('a record comes with its own text, its place, and the time that CloudWatch Logs exported', async () => {
    const text = '{"eventID": "1",  "n": 12345678901234567890}';
    await write('a.jsonl', `\n${text}\n2026-11-20T10:00:00.125Z ${line('2')}\n`);
    const { found } = await read(connection(['/a.jsonl']));
    expect(found.map((one) => one.text)).toEqual([text, line('2')]);
    expect(found.map(({ added }) => added)).toMatchObject([
      { path: join(folder, 'a.jsonl'), file_line: 2, connection_name: 'evidence', timestamp: undefined },
      { file_line: 3, timestamp: '2026-11-20T10:00:00.125Z' },
    ]);
    expect(found[1]?.origin()).toBe(`record 2 of ${join(folder, 'a.jsonl')}, line 3`);
  });

  test('an event that was looked up is its record, text and all', async () => {
    await write('a.json', JSON.stringify({ Events: [lookedUp('1')] }));
    const { found } = await read(connection(['/a.json']));
    expect(found).toMatchObject([{ value: event('1'), text: line('1'), added: { timestamp: event('1').eventTime } }]);
    await write('a.json', JSON.stringify({ Events: [{ CloudTrailEvent: '{"eventID":' }] }));
    expect((await failure(read(connection(['/a.json'])))).message).toBe(
      `${folder}/a.json, line 1: the record is no valid JSON`,
    );
  });

  test('records that are no UTF-8 are counted', async () => {
    await write('a.jsonl', Buffer.from('{"eventName":"A","eventID":"\xff"}\n', 'latin1'));
    expect(await read(connection(['/a.jsonl']))).toMatchObject({
      ids: ['\uFFFD'],
      notices: [
        'WARNING: 1 records of cloudtrail_file_event are not UTF-8: bytes that are no character were replaced by U+FFFD',
      ],
    });
  });

  test('what is no event of CloudTrail comes, and is told once', async () => {
    const finding = JSON.stringify({ schemaVersion: '2.0', id: 'f', type: 'Recon:EC2/PortProbeUnprotectedPort' });
    await write('a/findings.jsonl', `${finding}\n${finding}\n`);
    await write(
      'b/1_Config_us-east-1_ConfigSnapshot.json.gz',
      zlib.gzipSync('{"configurationItems":[{"eventName":1}]}'),
    );
    await write('c/trail.json', JSON.stringify({ Records: [event('1'), { eventID: '2', eventSource: 'cut.out' }] }));
    await write(
      'd/1_CloudTrail-Digest_us-east-1_t.json.gz',
      zlib.gzipSync('{"digestStartTime":"2026-11-20T10:00:00Z"}'),
    );
    const { found, notices } = await read(connection(['/']));
    expect(found).toHaveLength(5);
    expect(notices).toEqual([
      expect.stringMatching(
        /^NOTICE: 3 records of cloudtrail_file_event have no eventTime, eventName or eventSource, so they are no events of CloudTrail; the first: \/[ab]\/\S+, line 1\. /,
      ),
    ]);
  });

  test('a huge file comes in pages of at most 1,000 records and about 1 MB', async () => {
    const many = Array.from({ length: 5_000 }, (_, index) => ({ ...event(String(index)), x: 'x'.repeat(400) }));
    await write('a.json.gz', zlib.gzipSync(JSON.stringify({ Records: many })));
    const pages = await allPages(localFiles([connection(['/a.json.gz'])]), request(), testContext());
    expect(pages.flatMap((page) => page.records)).toHaveLength(5_000);
    expect(Math.max(...pages.map((page) => page.records.length))).toBeLessThanOrEqual(1_000);
    expect(pages.length).toBe(5);
  });

  test('small files share a page', async () => {
    for (let index = 0; index < 100; index += 1) await write(`${index}.json`, records(String(index)));
    const pages = await allPages(localFiles([connection(['/'])]), request(), testContext());
    expect(pages.flatMap((page) => page.records)).toHaveLength(100);
    expect(pages.length).toBeLessThanOrEqual(8);
  });
});

describe('which files are read', () => {
  beforeEach(async () => {
    await write('a.json', records('a'));
    await write('b/b.json', records('b'));
    await write('b/c/c.jsonl', records('c'));
    await write('b/c/readme.txt', 'not evidence');
    await write('b/.hidden/h.json', records('h'));
    await write('b/.h.json', records('h'));
  });

  test.each<[readonly string[], readonly string[]]>([
    [['/**/*.json'], ['a', 'b']],
    [['/**'], ['a', 'b', 'c']],
    [['/'], ['a', 'b', 'c']],
    [[''], ['a', 'b', 'c']],
    [['/b'], ['b', 'c']],
    [['/*'], ['a']],
    [['/*/*'], ['b']],
    [['/*/'], ['b', 'c']],
    [['/a.json'], ['a']],
    [['/{a.json,b/*.json}'], ['a', 'b']],
    [['/b/.h.json'], ['h']],
    [['/b/.hidden/*'], ['h']],
    [
      ['/**/?.json', '/b/**', '/**', '/a.json'],
      ['a', 'b', 'c'],
    ],
    [['/b/*/c.*'], ['c']],
  ])('%j leads to %j, each file once', async (paths, expected) => {
    expect((await read(connection(paths))).ids).toEqual(expected);
  });

  test('files that do not look like evidence are counted, unless their pattern names them', async () => {
    expect((await read(connection(['/b']))).notices).toEqual([
      'NOTICE: 1 files were not read, as their names end in none of .json, .jsonl, .ndjson, .gz, .zst; the first: /b/c/readme.txt',
    ]);
    expect((await failure(read(connection(['/b/c/*.txt'])))).message).toBe(
      `${folder}/b/c/readme.txt, line 1: it is no JSON object`,
    );
  });

  test('symbolic links are followed, but not round and round', async () => {
    await symlink(join(folder, 'b'), join(folder, 'b/c/up'));
    await symlink(join(folder, 'b/c'), join(folder, 'link'));
    await symlink(join(folder, 'a.json'), join(folder, 'a2.json'));
    expect((await read(connection(['/**']))).ids).toEqual(['a', 'a', 'b', 'c', 'c']);
    expect((await read(connection(['/link/*.jsonl']))).ids).toEqual(['c']);
    expect((await read(connection(['/b/c/up/b.json']))).ids).toEqual(['b']);
  });

  test('a path that is not there fails, naming it', async () => {
    const error = await failure(read(connection(['/b', '/none/x.json'])));
    expect(error).toMatchObject({ kind: 'not_found', message: `${folder}/none/x.json does not exist` });
  });

  test('a link into nowhere fails where it looks like evidence', async () => {
    await symlink(join(folder, 'gone'), join(folder, 'b/latest'));
    expect((await read(connection(['/b']))).ids).toEqual(['b', 'c']);
    await symlink(join(folder, 'gone.json'), join(folder, 'b/x.json'));
    expect((await failure(read(connection(['/b'])))).message).toBe(`cannot read ${folder}/b/x.json: it does not exist`);
  });

  test.skipIf(process.getuid?.() === 0)('a file or folder that may not be read fails', async () => {
    await chmod(join(folder, 'a.json'), 0);
    const file = await failure(read(connection(['/a.json'])));
    expect(file).toMatchObject({ kind: 'unreachable', message: `cannot read ${folder}/a.json: permission denied` });
    await chmod(join(folder, 'b/c'), 0);
    const listed = await failure(read(connection(['/b'])));
    await chmod(join(folder, 'b/c'), 0o700);
    expect(listed.message).toBe(`cannot read ${folder}/b/c/: permission denied`);
  });

  test('a glob or a folder without a file is told', async () => {
    await mkdir(join(folder, 'empty'));
    expect((await read(connection(['/a.json', '/*.gz', '/empty']))).notices).toEqual([
      'NOTICE: no file matches /*.gz, /empty',
    ]);
  });

  test('a file that has changed is read again', async () => {
    expect((await read(connection(['/a.json']))).ids).toEqual(['a']);
    await write('a.json', records('a', 'z'));
    expect((await read(connection(['/a.json']))).ids).toEqual(['a', 'z']);
  });

  test('without a connection of kind files the statement fails', async () => {
    const error = await failure(allRecords(localFiles([]), request()));
    expect(error).toMatchObject({ kind: 'not_found', message: 'no connection of kind files is configured' });
  });
});

describe('what paths say', () => {
  const FOLDERS = [
    ['AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/19/a.json', '1'],
    [
      'AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/20/111122223333_CloudTrail_us-east-1_20261120T1005Z_x.json',
      '2',
    ],
    ['AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/20/a.json', '3'],
    ['AWSLogs/o-abcdefghij/444455556666/CloudTrail/us-east-1/2026/11/21/a.json', '4'],
    ['AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/11/20/a.json', 'digest'],
    ['AWSLogs/111122223333/CloudTrail-Insight/us-east-1/2026/11/20/a.json', 'insight'],
    ['elsewhere/a.json', '5'],
  ] as const;
  const at = (text: string) => String(Date.parse(text));

  beforeEach(async () => {
    for (const [path, id] of FOLDERS) await write(path, records(id));
  });

  test.each<[string, readonly (() => Predicate)[], readonly string[]]>([
    ['nothing', [], ['1', '2', '3', '4', '5']],
    ['an account', [() => predicate(ACCOUNT_ID, '=', '111122223333')], ['1', '2', '3']],
    ['another account', [() => predicate(ACCOUNT_ID, '<>', '111122223333')], ['4']],
    ['a region', [() => predicate(REGION, '=', 'eu-west-1', 'ap-south-1')], ['3']],
    ['regions', [() => predicate(REGION, 'like', 'us-%')], ['1', '2', '4']],
    ['a path', [() => predicate(PATH, '=', `${folder}/elsewhere/a.json`)], ['5']],
    ['paths', [() => predicate(PATH, 'like', `${folder}/AWSLogs/o-%`)], ['4']],
    ['the end of a path', [() => predicate(PATH, 'like', '%1/a.json')], ['4']],
    [
      'a day, and what its end may have left for the next',
      [() => predicate(EVENT_TIME, '>=', at('2026-11-20T00:10:00Z'))],
      ['2', '3', '4', '5'],
    ],
    [
      'a day whose beginning a clock may have seen earlier',
      [() => predicate(EVENT_TIME, '>=', at('2026-11-20T00:04:00Z'))],
      ['1', '2', '3', '4', '5'],
    ],
    ['a minute behind that of a file', [() => predicate(EVENT_TIME, '>', at('2026-11-20T10:12:00Z'))], ['3', '4', '5']],
    [
      'an end with a day for late delivery',
      [() => predicate(EVENT_TIME, '<', at('2026-11-19T12:00:00Z'))],
      ['1', '2', '3', '5'],
    ],
    ['a time', [() => predicate(EVENT_TIME, '=', at('2026-11-21T12:00:00Z'))], ['4', '5']],
    ['another connection', [() => predicate(CONNECTION_NAME, '=', 'other')], []],
  ])('%s', async (_name, predicates, expected) => {
    const asked = predicates.map((make) => make());
    const { ids, opened } = await read(connection(['/**']), asked);
    expect({ ids, opened }).toEqual({ ids: expected, opened: expected.length });
  });

  test('without an end to late delivery no folder is too late', async () => {
    const until = predicate(EVENT_TIME, '<', at('2026-11-01T00:00:00Z'));
    expect((await read(connection(['/AWSLogs']), [until])).ids).toEqual([]);
    expect((await read(connection(['/AWSLogs'], { deliverySlackMs: 'none' }), [until])).ids).toEqual([
      '1',
      '2',
      '3',
      '4',
    ]);
  });

  test('a row says where it is', async () => {
    const { found } = await read(connection(['/**']), [predicate(PATH, 'like', '%/eu-west-1/%')]);
    expect(found.map(({ added }) => added)).toMatchObject([
      { partition: 'aws', region: 'eu-west-1', account_id: '111122223333' },
    ]);
  });

  test('where conditions leave no file, that is told, and no pattern is called unmatched', async () => {
    const { notices, opened } = await read(connection(['/**/*.json']), [predicate(REGION, '=', 'sa-east-1')]);
    expect({ notices, opened }).toEqual({
      notices: ['NOTICE: no file satisfies the conditions on its path, account, region and time'],
      opened: 0,
    });
  });

  test('columns that only log groups have are NULL, and a condition on one says so', async () => {
    const asked = request(predicate(LOG_GROUP_NAME, '=', 'trail'));
    expect(localFiles([connection(['/**'])]).plan(asked)).toMatchObject({
      empty: true,
      notices: ['log_group_name is NULL in every row of cloudtrail_file_event: files are in no log group'],
    });
  });

  test('the plan says what is read and how exactly', () => {
    const since = predicate(EVENT_TIME, '>=', at('2026-11-20T00:00:00Z'));
    const account = predicate(ACCOUNT_ID, '=', '111122223333');
    const name = predicate(column('event_name', 'eventName'), '=', 'CreateUser');
    const { pushed, parts } = localFiles([connection(['/**'])]).plan(request(since, account, name));
    expect(pushed.map(({ exactness }) => exactness)).toEqual(['inexact', 'exact', 'inexact']);
    expect(parts).toEqual([
      `connection evidence, ${folder}/**: CloudTrail's folders of events from 2026-11-20T00:00:00.000Z`,
    ]);
  });

  test('contradictions open nothing', async () => {
    const never = [
      predicate(EVENT_TIME, '<', at('2026-11-01T00:00:00Z')),
      predicate(EVENT_TIME, '>', at('2026-11-02T00:00:00Z')),
    ];
    expect((await read(connection(['/**']), never)).opened).toBe(0);
    expect((await read(connection(['/**']), [predicate(PATH, '=', 'a'), predicate(PATH, '=', 'b')])).opened).toBe(0);
  });
});

describe('the newest events first', () => {
  const order = { column: EVENT_TIME, direction: 'desc', nulls: 'last' } as const;
  const at = (hour: number, minute: number) => new Date(Date.UTC(2026, 10, 20, hour, minute)).toISOString();
  const trail = (region: string, hour: number, minute: number) =>
    `AWSLogs/111122223333/CloudTrail/${region}/2026/11/20/111122223333_CloudTrail_${region}_20261120T${String(hour).padStart(2, '0')}${String(minute).padStart(2, '0')}Z_x.json`;

  /** Until a page says that no later one holds anything as new. */
  async function readUntil(instant: string, context = testContext()) {
    const ids: string[] = [];
    const pages = localFiles([connection([''])]).scan({ ...request(), order }, context);
    for await (const { records: found, reached } of pages) {
      for (const { value } of found) ids.push((value as { eventID: string }).eventID);
      if (reached !== undefined && reached < Date.parse(instant)) break;
    }
    return { ids: ids.sort(), opened: context.calledOf.length };
  }

  beforeEach(async () => {
    for (let hour = 0; hour < 24; hour += 1) {
      for (const region of ['us-east-1', 'eu-west-1']) {
        for (const minute of [0, 15, 30, 45]) {
          const id = `${region} ${hour}:${minute}`;
          // What happened is delivered some minutes later.
          await write(
            trail(region, hour, minute),
            JSON.stringify({ Records: [event(id, at(hour, minute - 10)), event(`${id} late`, at(hour - 3, minute))] }),
          );
        }
      }
    }
  });

  test('are read from the files that were delivered last, and no others', async () => {
    const { ids, opened } = await readUntil(at(23, 0));
    const newest = [15, 30, 45].flatMap((minute) => [`eu-west-1 23:${minute}`, `us-east-1 23:${minute}`]);
    expect(ids).toEqual(expect.arrayContaining(newest));
    expect(opened).toBeLessThan(192);
  });

  test('are all read where nothing says that they are enough, each once', async () => {
    const { ids, opened } = await readUntil(at(-48, 0));
    expect(new Set(ids).size).toBe(ids.length);
    expect([ids.length, opened]).toEqual([384, 192]);
  });

  test('may be in files whose names do not say when they were delivered', async () => {
    await write('kept/a.json', JSON.stringify({ Records: [event('unnamed', at(23, 50))] }));
    const { ids } = await readUntil(at(23, 45));
    expect(ids).toContain('unnamed');
  });

  test('are known to be so by the plan, unless one may be without a time', () => {
    const plan = (nulls: 'first' | 'last', ...predicates: readonly Predicate[]) =>
      localFiles([connection([''])]).plan({ ...request(...predicates), order: { ...order, nulls } }).order;
    expect(plan('last')).toBe('exact');
    expect(plan('first')).toBe('none');
    expect(plan('first', predicate(EVENT_TIME, '>', '0'))).toBe('exact');
  });

  test('are read with all others where what fails is left out', async () => {
    expect(await readUntil(at(23, 0), testContext({ partial: true }))).toMatchObject({ opened: 192 });
  });
});

describe('what cannot be read', () => {
  beforeEach(async () => {
    await write('a.jsonl', `${JSON.stringify(event('1'))}\n{"eventID":"2",}\nhello\n${JSON.stringify(event('3'))}\n`);
    await write('b.json.gz', zlib.gzipSync(records('4')));
    await write('c.json.gz', zlib.gzipSync(records('5', '6')).subarray(0, 60));
  });

  test('fails the statement with file and line', async () => {
    const line = await failure(read(connection(['/a.jsonl'])));
    expect(line).toMatchObject({ kind: 'nonsense', message: `${folder}/a.jsonl, line 2: the record is no valid JSON` });
    const cut = await failure(read(connection(['/c.json.gz'])));
    expect(cut).toMatchObject({
      kind: 'nonsense',
      message: `${folder}/c.json.gz, after line 1: it cannot be decompressed: unexpected end of file, at byte 60`,
    });
  });

  test('of several failures one is told', async () => {
    const error = await failure(read(connection(['/'])));
    expect(error.message).toMatch(/^\S+\/[ac]\.json(l|\.gz), /);
  });

  test('is counted where partial answers are taken, and everything else is there', async () => {
    const { ids, notices } = await read(connection(['/', '/none.json']), [], testContext({ partial: true }));
    expect(ids).toEqual(['1', '3', '4']);
    expect(notices).toEqual([
      expect.stringMatching(
        /^WARNING: 2 files of cloudtrail_file_event could not be read, or not to their end; the first: /,
      ),
      'WARNING: 2 records of cloudtrail_file_event could not be read and are missing; the first: /a.jsonl, line 2: the record is no valid JSON',
    ]);
  });

  test('of a large compressed file all comes that stands before the fault', async () => {
    const lines = Array.from(
      { length: 12_000 },
      (_, index) => `${JSON.stringify({ ...event(String(index)), x: 'x'.repeat(80) })}\n`,
    );
    const bytes = zlib.gzipSync(lines.join(''), { level: 0 });
    // Of the stored block behind 1.5 MB, the length does not agree with its complement.
    let [at, given] = [10, 0];
    while (given < 1_500_000) {
      given += bytes.readUInt16LE(at + 1);
      at += 5 + bytes.readUInt16LE(at + 1);
    }
    bytes[at + 3] = (bytes[at + 3] as number) ^ 1;
    await rm(folder, { recursive: true });
    await write('long.jsonl.gz', bytes);
    const { ids } = await read(connection(['/']), [], testContext({ partial: true }));
    expect(ids).toHaveLength(lines.join('').slice(0, given).split('\n').length - 1);
  });

  test.skipIf('createZstdDecompress' in zlib)('zstd needs a newer Node.js', async () => {
    await write('z.json.zst', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x00, 0x01, 0x00, 0x00]));
    const error = await failure(read(connection(['/z.json.zst'])));
    expect(error.message).toBe(`${folder}/z.json.zst is compressed by zstd, which this Node.js cannot read`);
    expect(error.hint).toBe('Run Trailhound on Node.js 22.15 or newer, or decompress the file.');
  });
});

describe('what ends early', () => {
  /** Paths of the folder that this process has open. */
  async function openFiles(): Promise<readonly string[]> {
    const open = await readdir('/proc/self/fd').catch(() => []);
    const paths = await Promise.all(open.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
    return paths.filter((path) => path.startsWith(folder));
  }
  const large = () => `${JSON.stringify({ ...event('x'), x: 'x'.repeat(1_000) })}\n`.repeat(5_000);

  test('a limit stops the reading, and closes what is open', async () => {
    for (const name of ['a', 'b', 'c']) await write(`${name}.jsonl`, large());
    const asked = scanRequest([], { limit: 3, table: 'cloudtrail_file_event', columns: [EVENT_ID] });
    const pages = await allPages(localFiles([connection(['/'])]), asked, testContext());
    expect(pages.flatMap((page) => page.records)).toHaveLength(3);
    await expect.poll(openFiles).toEqual([]);
  });

  test('an abort closes what is open and opens nothing more', async () => {
    for (let index = 0; index < 20; index += 1) await write(`${index}.jsonl`, large());
    const context = testContext();
    const scanned = localFiles([connection(['/'])]).scan(request(), context);
    const pages = scanned[Symbol.asyncIterator]();
    await pages.next();
    context.abort(new Error('cancelled'));
    const opened = context.calledOf.length;
    await expect(
      (async () => {
        while ((await pages.next()).done !== true);
      })(),
    ).rejects.toThrow('cancelled');
    await expect.poll(openFiles).toEqual([]);
    expect(context.calledOf.length).toBe(opened);
  });
});

test('under what was read stands how many files that were, and when the newest event happened', async () => {
  await write('a.json', JSON.stringify({ Records: [event('a', '2026-11-20T10:00:00Z'), event('b', 'nonsense')] }));
  await write('b.json', JSON.stringify({ Records: [event('c', '2026-11-21 11:00:00.000')] }));
  const context = testContext();
  const pages = await allPages(localFiles([connection(['/*.json'])]), request(), context);
  expect(Math.max(...pages.map(({ newest }) => newest ?? 0))).toBe(Date.UTC(2026, 10, 21, 11));
  expect(context.places).toEqual(['2 files of connection evidence']);
});
