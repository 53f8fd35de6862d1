import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'pg';
import { seconds, timed, type Figure, type Scenario } from '../figure.ts';
import { withServer } from '../server-process.ts';

const EVENTS = 100_000;
const PATTERNS = 137;

/** What `event_matches` costs, an event and a pattern, beside a condition written by hand for the same question. */
export const patterns: Scenario = {
  name: 'patterns',
  run: () =>
    withServer({}, async (server) => {
      const client = await server.connect();
      try {
        await client.query('set max_parallel_workers_per_gather = 0');
        await client.query(MADE_UP);
        await client.query('vacuum analyze event');
        const name = `event #>> '{detail,eventName}'`;
        const one = await compare(client, {
          pattern: [`{"detail": {"eventName": ["CreateUser", "DeleteUser"]}}`],
          byHand: [`${name} in ('CreateUser', 'DeleteUser')`],
        });
        const several = await compare(client, {
          pattern: [
            `{"source": ["aws.iam"], "detail": {"eventName": [{"prefix": "Create"}], "userIdentity": {"type": ["IAMUser"]}, "errorCode": [{"exists": false}]}}`,
          ],
          byHand: [
            `event ->> 'source' = 'aws.iam' and ${name} like 'Create%' and event #>> '{detail,userIdentity,type}' = 'IAMUser' and not event -> 'detail' ? 'errorCode'`,
          ],
        });
        const texts = realPatterns() ?? madeUpPatterns();
        const all = await compare(client, {
          pattern: texts,
          byHand: texts.map((_text, index) => `${name} in ('Name${index}', 'Name${index + 1}')`),
        });
        return [
          figure('patterns: one field', 1, one),
          figure('patterns: four fields', 1, several),
          figure(`patterns: ${texts.length} patterns, each beside one field`, texts.length, all),
        ];
      } finally {
        await client.end();
      }
    }),
};

/** Of the size of records, in envelopes that are made once. */
const MADE_UP = `
  create temp table event as
  select trailhound.as_event(jsonb_build_object(
    'eventVersion', '1.11', 'eventID', 'e' || n, 'eventTime', '2026-01-01T00:00:00Z',
    'eventSource', (array['iam', 'ec2', 's3', 'sts'])[1 + n % 4] || '.amazonaws.com',
    'eventName', case when n % 16 = 0 then 'CreateUser' else 'Name' || n % 200 end,
    'awsRegion', 'us-east-1', 'recipientAccountId', '111122223333', 'sourceIPAddress', '198.51.100.' || n % 256,
    'userAgent', 'aws-cli/2.31.4 md/awscrt#0.27.6 ua/2.1 os/linux#6.8 lang/python#3.13',
    'userIdentity', jsonb_build_object('type', 'IAMUser', 'userName', 'user' || n % 50, 'accessKeyId', 'AKIAIOSFODNN7EXAMPLE',
      'arn', 'arn:aws:iam::111122223333:user/user' || n % 50, 'principalId', 'AIDAJ45Q7YFFAREXAMPLE'),
    'requestParameters', jsonb_build_object('userName', 'user' || n, 'path', '/', 'tags', jsonb_build_array('a', 'b')),
    'responseElements', null, 'readOnly', false, 'eventType', 'AwsApiCall', 'managementEvent', true,
    'eventCategory', 'Management', 'requestID', md5(n::text), 'tlsDetails', jsonb_build_object('tlsVersion', 'TLSv1.3',
      'cipherSuite', 'TLS_AES_128_GCM_SHA256', 'clientProvidedHostHeader', 'iam.amazonaws.com'))) as event
  from generate_series(1, ${EVENTS}) as n`;

interface Compared {
  readonly matchingMs: number;
  readonly byHandMs: number;
}

async function compare(
  client: Client,
  { pattern, byHand }: { readonly pattern: readonly string[]; readonly byHand: readonly string[] },
): Promise<Compared> {
  const matching = pattern.map((text) => `trailhound.event_matches(event, ${client.escapeLiteral(text)})`);
  const count = (conditions: readonly string[]) =>
    `select ${conditions.map((condition) => `count(*) filter (where ${condition})`).join(', ')} from event`;
  // Whatever the first one loads is not what is measured.
  await client.query(`${count(byHand.slice(0, 1))} where event is null`);
  const byHandMs = await timed(() => client.query(count(byHand)));
  return { byHandMs, matchingMs: await timed(() => client.query(count(matching))) };
}

function figure(name: string, count: number, { matchingMs, byHandMs }: Compared): Figure {
  const each = (matchingMs * 1000) / EVENTS / count;
  return {
    name: `${name}, ${EVENTS.toLocaleString('en')} events`,
    measured: `${seconds(matchingMs)}, ${each.toFixed(1)} µs each`,
    baseline: `${seconds(byHandMs)} by hand`,
    result: `${(matchingMs / byHandMs).toFixed(1)} x`,
  };
}

/** Those that AWS's matcher was asked, where they are given. */
function realPatterns(): readonly string[] | undefined {
  const file = join(process.env['TRAILHOUND_TEST_DATA'] ?? '', 'patterns', 'eventbridge_patterns.ndjson');
  if (process.env['TRAILHOUND_TEST_DATA'] === undefined || !existsSync(file)) return undefined;
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.stringify((JSON.parse(line) as { readonly pattern: unknown }).pattern));
}

function madeUpPatterns(): readonly string[] {
  const sources = ['iam', 'ec2', 's3', 'sts'];
  return Array.from({ length: PATTERNS }, (_, index) =>
    JSON.stringify({
      source: [`aws.${sources[index % 4]}`],
      'detail-type': ['AWS API Call via CloudTrail'],
      detail: { eventName: index % 3 === 0 ? [{ prefix: `Name${index}` }] : [`Name${index}`, `Name${index + 1}`] },
    }),
  );
}
