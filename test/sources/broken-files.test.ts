import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { localStore } from '../../src/sources/files/local-store.ts';
import { filesSource } from '../../src/sources/files/source.ts';
import type { ScanRequest } from '../../src/sources/source.ts';
import { allPages, column, predicate, scanRequest, testContext } from '../support/source-harness.ts';

/** What is wrong with a file either fails the statement, or is read; nothing is silently short. */

const EVENT_ID = column('event_id', 'eventID');
const EVENT_NAME = column('event_name', 'eventName');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trailhound-broken-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Ways in which the same file is read: parsed, written as rows, searched for the condition's text. */
const asked = (extra: { readonly columns: readonly (typeof EVENT_ID)[] }): ScanRequest =>
  scanRequest([], { table: 'cloudtrail_file_event', ...extra });
const ROADS: Readonly<Record<string, ScanRequest>> = {
  parsed: asked({ columns: [EVENT_ID] }),
  copied: { ...asked({ columns: [EVENT_ID] }), copied: true },
  searched: scanRequest([predicate(EVENT_NAME, '=', 'CreateUser')], {
    table: 'cloudtrail_file_event',
    columns: [EVENT_ID],
  }),
};

interface Answer {
  readonly ids: string;
  readonly said: readonly string[];
}

async function read(name: string, request: ScanRequest, partial: boolean): Promise<Answer> {
  const source = filesSource([{ name: 'evidence', paths: [join(folder, name)], deliverySlackMs: 'none' }], () => {
    throw new Error('no bucket is read here');
  });
  const context = testContext({ partial });
  const short = (text: string) => text.replaceAll(`${folder}/`, '').replaceAll(name, 'F');
  try {
    const ids: unknown[] = [];
    for (const { records, copied } of await allPages(source, request, context)) {
      ids.push(...records.map(({ value }) => (value as Record<string, unknown>)['eventID'] ?? 'NULL'));
      const lines = copied === undefined ? [] : Buffer.from(copied.bytes).toString().trimEnd().split('\n');
      ids.push(...lines.map((line) => line.replace('\\N', 'NULL')));
    }
    return { ids: ids.map(String).sort().join(' '), said: context.notices.map(({ message }) => short(message)) };
  } catch (error) {
    return { ids: 'fails', said: [short((error as Error).message)] };
  } finally {
    await source.close();
  }
}

const event = (eventID: string) => ({ eventVersion: '1.08', eventName: 'CreateUser', eventID });
const line = (id: string) => JSON.stringify(event(id));
const records = (...ids: readonly string[]) => JSON.stringify({ Records: ids.map(event) });
const lines = (...ids: readonly string[]) => ids.map((id) => `${line(id)}\n`).join('');
const [ab, cd] = [gzipSync(lines('a', 'b')), gzipSync(lines('c', 'd'))];
const utf16 = (text: string, big = false) => {
  const bytes = Buffer.from(`\uFEFF${text}`, 'utf16le');
  return big ? bytes.swap16() : bytes;
};
const count = (records: number, message: string) =>
  `${records} records of cloudtrail_file_event could not be read and are missing; the first: ${message}`;
const rest = (message: string) =>
  `1 files of cloudtrail_file_event could not be read, or not to their end; the first: ${message}`;
const wrong = (at: number, reason: string, after: number) =>
  `F, after line ${after}: it cannot be decompressed: ${reason}, at byte ${at}`;

/** A file, and the ids of its events where nothing is wrong; else what fails the statement, and what a partial answer has and says. */
type Case = readonly [string, string | Buffer, string] | readonly [string, string | Buffer, string, string, string];
const broken = (
  name: string,
  content: string | Buffer,
  message: string,
  ids: string,
  said: (message: string) => string,
): Case => [name, content, message, ids, said(message)];

const CASES: readonly Case[] = [
  ['members.json.gz', Buffer.concat([ab, cd]), 'a b c d'],
  ['zeros-between.json.gz', Buffer.concat([ab, Buffer.alloc(512), cd]), 'a b c d'],
  ['zeros-behind.json.gz', Buffer.concat([ab, Buffer.alloc(10_000)]), 'a b'],
  ['empty-members.json.gz', Buffer.concat([gzipSync(''), ab, gzipSync(''), cd]), 'a b c d'],
  ['nothing.json.gz', gzipSync(''), ''],
  broken(
    'garbage.json.gz',
    Buffer.concat([ab, cd, Buffer.from('garbage')]),
    wrong(ab.length + cd.length, 'incorrect header of another member', 5),
    'a b c d',
    rest,
  ),
  broken(
    'checksum.json.gz',
    Buffer.concat([ab, cd.subarray(0, -8), Buffer.alloc(8)]),
    wrong(ab.length + cd.length - 8, 'incorrect data check', 5),
    'a b c d',
    rest,
  ),
  broken(
    'cut.json.gz',
    Buffer.concat([ab, cd.subarray(0, -8)]),
    wrong(ab.length + cd.length - 8, 'unexpected end of file', 5),
    'a b c d',
    rest,
  ),
  broken('cut-header.json.gz', ab.subarray(0, 6), wrong(6, 'unexpected end of file', 1), '', rest),
  broken('no-bytes.json.gz', '', wrong(0, 'unexpected end of file', 1), '', rest),
  ['no-bytes.json', '', ''],
  ['unpacked.json.gz', records('a', 'b'), 'a b'],
  ['packed.json', gzipSync(records('a', 'b')), 'a b'],
  ['twice.json.gz', gzipSync(gzipSync(records('a'))), 'a'],
  broken(
    'thrice.json.gz',
    gzipSync(gzipSync(gzipSync(records('a')))),
    wrong(0, 'it is compressed more than 2 times', 1),
    '',
    rest,
  ),
  broken('other.json.gz', 'PK\x03\x04 something else', 'F, line 1: it is no JSON object', '', (m) => count(1, m)),
  ['mark.json', `\uFEFF${records('a')}`, 'a'],
  ['mark.json.gz', gzipSync(`\uFEFF${lines('a', 'b')}`), 'a b'],
  ['utf-16.json', utf16(records('a', 'é', '😀')), 'a é 😀'],
  ['utf-16-big.jsonl', utf16(lines('a', 'b'), true), 'a b'],
  ['utf-16.json.gz', gzipSync(utf16(lines('a', 'b'))), 'a b'],
  ['crlf.jsonl', lines('a', 'b').replaceAll('\n', '\r\n'), 'a b'],
  broken('zeros.jsonl', `${lines('a')}\0\0\0\n${lines('b')}`, 'F, line 2: it is no JSON object', 'a b', (m) =>
    count(1, m),
  ),
  broken('zeros-last.jsonl', `${lines('a')}\0\0\0`, 'F, line 2: it is no JSON object', 'a', (m) => count(1, m)),
  ['null-records.json', '{"Records": null}', ''],
  ['null-events.json', '{"Events":null,"NextToken":"x"}', ''],
  ['no-records.json', '{"Records": []}', ''],
  ['no-list.json', '[]', ''],
  broken(
    'object-records.json',
    '{"Records": {"eventName":"CreateUser"}}',
    'F, line 1: its Records is no list',
    '',
    (m) => count(1, m),
  ),
  broken(
    'text-records.jsonl',
    `${lines('a')}{"Events": "CreateUser"}\n${lines('b')}`,
    'F, line 2: its Events is no list',
    'a b',
    (m) => count(1, m),
  ),
  broken('null.jsonl', `${lines('a')}null\n${lines('b')}`, 'F, line 2: it is no JSON object', 'a b', (m) =>
    count(1, m),
  ),
  broken('null.json', 'null', 'F, line 1: it is no JSON object', '', (m) => count(1, m)),
  broken(
    'mixed-records.json',
    `{"Records":[${line('a')},5,${line('b')}]}`,
    'F, line 1: the list of records holds something else',
    'a',
    rest,
  ),
  ['two.json', `${records('a')}\n${records('b')}${records('c')}`, 'a b c'],
  ['pretty.json', JSON.stringify(event('a'), null, 2), 'a'],
  ['pretty-records.json', JSON.stringify({ Records: [event('a'), event('b')] }, null, '\t'), 'a b'],
  ['twice-records.json', `{"Records":[${line('a')}],"Records":[${line('b')}],"Records":null}`, 'a b'],
  broken('cut.json', records('a', 'b').slice(0, -3), 'F, line 1: the file ends within a record', 'a', rest),
  broken(
    'cut-list.json',
    records('a', 'b').slice(0, -2),
    'F, line 1: the file ends within a list of records',
    'a b',
    rest,
  ),
];

describe.each(Object.keys(ROADS))('%s', (road) => {
  test.each(CASES)('%s', async (name, content, ...expected) => {
    await writeFile(join(folder, name), content);
    const request = ROADS[road] as ScanRequest;
    const [strict, ids, said] = expected;
    const whole = await read(name, request, false);
    if (ids === undefined) expect(whole).toEqual({ ids: strict, said: [] });
    else {
      expect(whole).toEqual({ ids: 'fails', said: [strict] });
      expect(await read(name, request, true)).toEqual({ ids, said: [said] });
    }
  });
});

describe('what stands in the place of a file', () => {
  const inFolder = (name: string, partial = false) => read(name, ROADS['parsed'] as ScanRequest, partial);

  test('a pipe is not waited for', async () => {
    await mkdir(join(folder, 'pipes/below'), { recursive: true });
    await promisify(execFile)('mkfifo', [join(folder, 'pipes/x.json'), join(folder, 'pipes/control')]);
    await writeFile(join(folder, 'pipes/a.json'), records('a'));
    expect(await inFolder('pipes')).toEqual({
      ids: 'fails',
      said: ['cannot read F/x.json: it is a pipe, a socket or a device'],
    });
    expect(await inFolder('pipes', true)).toMatchObject({ ids: 'a' });
    expect((await inFolder('pipes/x.json')).said).toEqual(['cannot read F: it is a pipe, a socket or a device']);
    expect((await inFolder('pipes/*.json')).ids).toBe('fails');
  });

  test('a folder that disappears after it was found fails', async () => {
    await mkdir(join(folder, 'going/below'), { recursive: true });
    const failed: string[] = [];
    const wanted = {
      folder: (path: string) => {
        if (path.endsWith('/below/')) rmSync(path, { recursive: true });
        return true;
      },
      allBelow: () => true,
      file: () => true,
      failed: (error: Error) => void failed.push(error.message.replace(folder, '')),
    };
    const connection = { name: 'evidence', paths: [], deliverySlackMs: 'none' as const };
    const listing = localStore(connection, [join(folder, 'going')]).list(wanted, testContext());
    expect((await listing.next()).done).toBe(true);
    expect(failed).toEqual(['cannot read /going/below/: it does not exist']);
  });

  test('links that lead to each other fail', async () => {
    await mkdir(join(folder, 'loops'));
    await symlink(join(folder, 'loops/b.json'), join(folder, 'loops/a.json'));
    await symlink(join(folder, 'loops/a.json'), join(folder, 'loops/b.json'));
    expect(await inFolder('loops')).toEqual({
      ids: 'fails',
      said: ['cannot read F/a.json: too many symbolic links'],
    });
  });
});

describe('what changes while it is read', () => {
  const LARGE = 40_000;

  async function during(change: (path: string) => Promise<unknown>): Promise<string> {
    const path = join(folder, 'changing.jsonl');
    await writeFile(path, lines('a').repeat(LARGE));
    const source = filesSource([{ name: 'evidence', paths: [path], deliverySlackMs: 'none' }], () => {
      throw new Error('no bucket is read here');
    });
    let rows = 0;
    try {
      for await (const { records: found } of source.scan(ROADS['parsed'] as ScanRequest, testContext())) {
        if (rows === 0) await change(path);
        rows += found.length;
      }
      return String(rows);
    } catch (error) {
      return (error as Error).message.replace(path, 'F');
    } finally {
      await source.close();
    }
  }

  test('what is added is read, a file that another one replaces is read to its end, and one that is cut fails', async () => {
    expect(Number(await during((path) => appendFile(path, lines('b'))))).toBeGreaterThanOrEqual(LARGE);
    expect(await during((path) => rm(path).then(() => writeFile(path, lines('b'))))).toBe(String(LARGE));
    expect(await during((path) => truncate(path, 0))).toBe('cannot read F: it became shorter while it was read');
  });
});
