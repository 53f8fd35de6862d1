import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { distinct, readRecords, recordFiles, type TrailRecord } from './support/records.ts';
import { API_KEY, LOG_GROUP, openRoad, textRows, type Road } from './support/road.ts';

/** The largest file holds one lab's daily business, and costs the most time. */
const FILES = recordFiles().filter((file) => !file.includes('invictus'));

type Read = (record: TrailRecord) => unknown;
const at =
  (...path: readonly string[]): Read =>
  (record) =>
    path.reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), record);

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

const COLUMNS: Readonly<Record<string, Read>> = {
  event_name: at('eventName'),
  event_source: at('eventSource'),
  event_type: at('eventType'),
  aws_region: at('awsRegion'),
  error_code: at('errorCode'),
  error_message: at('errorMessage'),
  user_agent: at('userAgent'),
  source_ip_address: at('sourceIPAddress'),
  recipient_account_id: at('recipientAccountId'),
  access_key_id: at('userIdentity', 'accessKeyId'),
  user_type: at('userIdentity', 'type'),
  username: at('userIdentity', 'userName'),
  user_arn: at('userIdentity', 'arn'),
  session_issuer_arn: at('userIdentity', 'sessionContext', 'sessionIssuer', 'arn'),
};

const literal = (value: string) => `'${value.replaceAll("'", "''")}'`;
const pattern = (text: string) => text.replace(/[\\%_]/g, '\\$&');

if (FILES.length === 0) {
  test.skip('predicates over real records: TRAILHOUND_TEST_DATA names no folder of them', () => undefined);
}

describe.skipIf(FILES.length === 0)(
  'a condition over real records is true of just the records of which the files say so',
  () => {
    let road: Road;
    let client: Client;
    let records: readonly TrailRecord[];

    beforeAll(async () => {
      records = readRecords(FILES);
      road = await openRoad({
        simulator: {
          world: {
            accounts: [
              {
                accountId: '111122223333',
                regions: [{ name: 'us-east-1', logGroups: [{ name: LOG_GROUP, events: { files: FILES } }] }],
              },
            ],
            abuseipdb: { apiKeys: [API_KEY] },
          },
        },
      });
      client = await road.connect();
    });

    afterAll(async () => {
      await road.close();
    });

    /** Of the values that occur, a few that are odd in different ways, and the most frequent one. */
    const samples = (read: Read): readonly string[] => {
      const counts = new Map<string, number>();
      for (const value of records.map(read))
        if (typeof value === 'string') counts.set(value, (counts.get(value) ?? 0) + 1);
      const values = [...counts.keys()];
      const byCount = values.toSorted((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0));
      const odd = (test: RegExp) => values.find((value) => test.test(value));
      const picked = [
        byCount[0],
        byCount.at(-1),
        odd(/["\\]/),
        odd(/[*?%_[\]]/),
        odd(/^$/),
        odd(/[^ -~]/),
        values.toSorted((a, b) => b.length - a.length)[0],
      ];
      return distinct(picked.filter((value) => value !== undefined));
    };

    test.each(Object.entries(COLUMNS))('%s', async (column, read) => {
      const values = records.map(read);
      // What a record has there is text, or nothing.
      const texts = values.map((value) => (typeof value === 'string' ? value : null));
      expect(values.filter((value) => value !== null && value !== undefined && typeof value !== 'string')).toEqual([]);
      const some = samples(read);
      const conditions: [condition: string, holds: (text: string | null) => boolean][] = [
        [`${column} is null`, (text) => text === null],
        [`${column} is not null`, (text) => text !== null],
        [`${column} in (${some.map(literal).join(', ')})`, (text) => text !== null && some.includes(text)],
        [
          `${column} = any(array[${some.map(literal).join(', ')}, null])`,
          (text) => text !== null && some.includes(text),
        ],
        [`${column} not in (${some.map(literal).join(', ')})`, (text) => text !== null && !some.includes(text)],
      ];
      for (const value of some) {
        const end = Math.ceil(value.length / 2);
        const [start, rest, middle] = [value.slice(0, end), value.slice(end), value.slice(end >> 1, end + 1)];
        conditions.push(
          [`${column} = ${literal(value)}`, (text) => text === value],
          [`${column} <> ${literal(value)}`, (text) => text !== null && text !== value],
          [`${column} is distinct from ${literal(value)}`, (text) => text !== value],
          [`not (${column} = ${literal(value)})`, (text) => text !== null && text !== value],
          [`${column} like ${literal(`${pattern(start)}%`)}`, (text) => text?.startsWith(start) === true],
          [`${column} like ${literal(`%${pattern(rest)}`)}`, (text) => text?.endsWith(rest) === true],
          [`${column} like ${literal(`%${pattern(middle)}%`)}`, (text) => text?.includes(middle) === true],
          [`${column} not like ${literal(`${pattern(start)}%`)}`, (text) => text !== null && !text.startsWith(start)],
          [`starts_with(${column}, ${literal(start)})`, (text) => text?.startsWith(start) === true],
          [`upper(${column}) = upper(${literal(value)})`, (text) => text?.toUpperCase() === value.toUpperCase()],
          [`(${column} = ${literal(value)} or ${column} is null)`, (text) => text === value || text === null],
        );
      }
      const branches = conditions.map(
        ([condition], index) => `select ${String(index)}, count(*) from cloudtrail_trail_event where ${condition}`,
      );
      const rows = await textRows(client, branches.join('\nunion all\n'));
      const counts = new Map(rows.map(([index, count]) => [Number(index), Number(count)]));
      expect(Object.fromEntries(conditions.map(([condition], index) => [condition, counts.get(index)]))).toEqual(
        Object.fromEntries(conditions.map(([condition, holds]) => [condition, texts.filter(holds).length])),
      );
    });
  },
);
