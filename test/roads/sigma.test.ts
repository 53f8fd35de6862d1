import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { checkHunt } from '../../src/hunts/check-hunt.ts';
import { huntText } from '../../src/hunts/import/hunt-text.ts';
import { sigma } from '../../src/hunts/import/sigma/sigma.ts';
import { parseHunt } from '../../src/hunts/parse-hunt.ts';
import { connectSql } from '../../src/hunts/sql-client.ts';
import { LOG_GROUP, openRoad, type Road } from './support/road.ts';

const NOW = Date.now();
const ago = (minutes: number) => `${new Date(NOW - minutes * 60_000).toISOString().slice(0, 19)}Z`;

/** Events by their ids, in what they differ in. */
const EVENTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  user: {
    eventName: 'CreateUser',
    requestParameters: { userName: 'admin-eve' },
    responseElements: { user: { path: '/' } },
  },
  lower: { eventName: 'createuser', requestParameters: { userName: 'bob_1' } },
  denied: {
    eventName: 'CreateUser',
    errorCode: 'AccessDenied',
    errorMessage: 'User: x is not\nauthorized',
    requestParameters: null,
  },
  group: {
    eventSource: 'ec2.amazonaws.com',
    eventName: 'AuthorizeSecurityGroupIngress',
    requestParameters: {
      groupId: 'sg-1',
      ipPermissions: {
        items: [{ fromPort: 22, ipRanges: { items: [{ cidrIp: '0.0.0.0/0' }, { cidrIp: '10.1.0.0/16' }] } }],
      },
    },
  },
  list: {
    eventName: 'TagUser',
    requestParameters: { tags: ['Alpha', 'beta'], count: 5, ratio: 0.5, flag: true, empty: '', nothing: null },
  },
  quoted: {
    eventName: 'PutUserPolicy',
    requestParameters: { policyDocument: '{"Action":"*"}', text: "it's 100% a\\b_c*?" },
  },
  sign: {
    eventSource: 'signin.amazonaws.com',
    eventName: 'ConsoleLogin',
    readOnly: 'True',
    responseElements: { ConsoleLogin: 'Failure' },
    sourceIPAddress: '2001:db8::7',
    userIdentity: { type: 'Root', arn: 'arn:aws:iam::111122223333:root' },
    additionalEventData: { MFAUsed: 'No', LoginTo: 'https://console/x?y=aW52b2tl' },
  },
  service: {
    eventName: 'AssumeRole',
    sourceIPAddress: 'ec2.amazonaws.com',
    userIdentity: { type: 'AWSService', invokedBy: 'ec2.amazonaws.com' },
    readOnly: true,
  },
  night: {
    eventName: 'GetObject',
    eventTime: `${new Date(NOW - 2 * 86_400_000).toISOString().slice(0, 10)}T03:17:00Z`,
    userAgent: 'curl \u2013i /x',
  },
};

let road: Road;
let client: Client;

beforeAll(async () => {
  const records = Object.entries(EVENTS).map(([eventID, own]) => ({
    eventVersion: '1.11',
    userIdentity: {
      type: 'IAMUser',
      userName: 'ann',
      arn: 'arn:aws:iam::111122223333:user/ann',
      accountId: '111122223333',
    },
    eventTime: ago(60),
    eventSource: 'iam.amazonaws.com',
    awsRegion: 'us-east-1',
    sourceIPAddress: '198.51.100.10',
    userAgent: 'aws-cli/2.31.4',
    readOnly: false,
    recipientAccountId: '111122223333',
    eventID,
    ...own,
  }));
  road = await openRoad({ simulator: { world: worldOf(records) } });
  client = await road.connect();
});
afterAll(() => road.close());

function worldOf(records: readonly object[]) {
  const events = { records, delivery: { maxDelayMs: 0 } };
  return {
    accounts: [
      { accountId: '111122223333', regions: [{ name: 'us-east-1', logGroups: [{ name: LOG_GROUP, events }] }] },
    ],
  };
}

function imported(text: string): string {
  const { hunts, refused } = sigma.read([{ path: 'rule.yml', text }], 'cloudtrail_trail_event');
  expect(refused).toEqual([]);
  expect(hunts).toHaveLength(1);
  return hunts.map((hunt) => hunt.statement).join('');
}

function rule(detection: string): string {
  return `title: made up\nlogsource: { product: aws, service: cloudtrail }\ndetection:\n${detection.replace(/^/gm, '  ')}`;
}

async function found(statement: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return (await client.query<Record<string, unknown>>(statement)).rows;
}

const idsOf = (rows: readonly Readonly<Record<string, unknown>>[]) => rows.map((row) => String(row['event_id'])).sort();

describe('a rule finds what Sigma says, and nothing else', () => {
  const of = (selection: string) => `selection: ${selection}\ncondition: selection`;
  it.each<readonly [name: string, detection: string, ids: readonly string[]]>([
    ['texts in any case', of('{ eventName: CREATEuser }'), ['denied', 'lower', 'user']],
    ['cased texts', of('{ eventName|cased: createuser }'), ['lower']],
    ['lists of values', of('{ eventName: [TagUser, "put*POLICY"] }'), ['list', 'quoted']],
    ['both of a map', of('{ eventName: createuser, errorCode: "*" }'), ['denied']],
    ['one of a list of maps', of('[{ eventName: TagUser }, { errorCode: accessdenied }]'), ['denied', 'list']],
    ['wildcards of one character', of('{ eventName: "?ag?ser" }'), ['list']],
    ['escaped wildcards', of(`{ requestParameters.text|endswith: 'c\\*\\?' }`), ['quoted']],
    ['a backslash, % and _ as themselves', of(`{ requestParameters.text: "it's 100% a\\\\b_C??" }`), ['quoted']],
    ['_ is no wildcard', of('{ requestParameters.userName: "bob?1" }'), ['lower']],
    ['_ is itself', of('{ requestParameters.userName: "admin_eve" }'), []],
    [
      'contains',
      of('{ userAgent|contains: CLI/2 }'),
      ['denied', 'group', 'list', 'lower', 'quoted', 'service', 'sign', 'user'],
    ],
    ['startswith', of('{ requestParameters.userName|startswith: ADMIN }'), ['user']],
    ['endswith with a line end within', of(`{ errorMessage|endswith: 'not\\nauthorized' }`), []],
    ['texts over lines', of(`{ errorMessage: "user: *\\nAUTHORIZED" }`), ['denied']],
    ['contains all', of('{ eventName|contains|all: [user, create] }'), ['denied', 'lower', 'user']],
    ['all of an array, by different elements', of('{ requestParameters.tags|all: [ALPHA, BETA] }'), ['list']],
    [
      'any element of arrays on the way',
      of('{ requestParameters.ipPermissions.items.ipRanges.items.cidrIp: 0.0.0.0/0 }'),
      ['group'],
    ],
    ['numbers', of('{ requestParameters.count: 5 }'), ['list']],
    ['numbers written as texts', of(`{ requestParameters.count: '5' }`), ['list']],
    ['fractions', of('{ requestParameters.ratio: 0.50 }'), ['list']],
    ['booleans', of('{ requestParameters.flag: true }'), ['list']],
    ['booleans of a column', of(`{ readOnly: 'TRUE' }`), ['service', 'sign']],
    ['booleans of a column as texts', of(`{ readOnly|cased: 'True' }`), ['sign']],
    ['greater', of('{ requestParameters.count|gt: 4 }'), ['list']],
    ['not greater', of('{ requestParameters.count|gte: 5.5 }'), []],
    ['less, of numbers in arrays', of('{ requestParameters.ipPermissions.items.fromPort|lt: 23 }'), ['group']],
    [
      'networks',
      of('{ sourceIPAddress|cidr: 198.51.0.0/16 }'),
      ['denied', 'group', 'list', 'lower', 'night', 'quoted', 'user'],
    ],
    ['networks of IPv6', of('{ sourceIPAddress|cidr: "2001:db8::/32" }'), ['sign']],
    [
      'networks elsewhere',
      of('{ requestParameters.ipPermissions.items.ipRanges.items.cidrIp|cidr: 10.0.0.0/8 }'),
      ['group'],
    ],
    [
      'null: missing and null',
      `s: { eventName: [TagUser, CreateUser, createuser] }\nf: { requestParameters.nothing: null, requestParameters.userName: null }\ncondition: s and f`,
      ['denied', 'list'],
    ],
    ['null of a column', `s: { eventName: CreateUser }\nf: { errorCode: null }\ncondition: s and f`, ['lower', 'user']],
    ['not null', `s: { eventName: CreateUser }\nf: { errorCode: null }\ncondition: s and not f`, ['denied']],
    ['empty texts', of(`{ requestParameters.empty: '' }`), ['list']],
    ['exists, though null', of('{ requestParameters.nothing|exists: true }'), ['list']],
    [
      'exists, a whole object',
      `s: { eventName: CreateUser }\nf: { requestParameters|exists: true }\ncondition: s and f`,
      ['denied', 'lower', 'user'],
    ],
    [
      'does not exist',
      `s: { eventName: CreateUser }\nf: { errorCode|exists: false }\ncondition: s and f`,
      ['lower', 'user'],
    ],
    [
      'not what a field that is missing has',
      `s: { eventName: CreateUser }\nf: { errorCode: AccessDenied }\ncondition: s and not f`,
      ['lower', 'user'],
    ],
    ['neq', of('{ eventName: createuser, errorCode|neq: AccessDenied }'), ['lower', 'user']],
    ['regular expressions', of(`{ eventName|re: '^[A-Z]\\w+User$' }`), ['denied', 'list', 'user']],
    ['ranges from the first character on', of(`{ eventName|re: '^[\\x00-\\x7F]+User$' }`), ['denied', 'list', 'user']],
    ['what is not in such a range', of(`{ eventName|re: '[^\\x00-\\x7F]' }`), []],
    ['regular expressions in any case', of(`{ eventName|re|i: 'USER$' }`), ['denied', 'list', 'lower', 'user']],
    ['a dot is no line end', of(`{ errorMessage|re: 'not.authorized' }`), []],
    ['a dot is a line end', of(`{ errorMessage|re|s: 'not.authorized' }`), ['denied']],
    ['the begin of a line', of(`{ errorMessage|re|m: '^authorized$' }`), ['denied']],
    ['not the begin of the text', of(`{ errorMessage|re: '^authorized$' }`), []],
    ['word boundaries', of(`{ errorMessage|re: '\\bnot\\b' }`), ['denied']],
    ['fields of each other', of('{ sourceIPAddress|fieldref: userIdentity.invokedBy }'), ['service']],
    ['fields within each other', of('{ userIdentity.arn|fieldref|contains: userIdentity.type }'), ['sign']],
    ['base64 at any offset', of(`{ additionalEventData.LoginTo|base64offset|contains: 'invoke' }`), ['sign']],
    ['windash', of('{ userAgent|windash|contains: " -i " }'), ['night']],
    ['hours', of('{ eventTime|hour: 3, eventTime|minute|gte: 17 }'), ['night']],
    ['objects by their text', of(`{ responseElements|contains: '"ConsoleLogin":"Failure"' }`), ['sign']],
    ['texts that are JSON', of(`{ requestParameters.policyDocument|contains: '"Action":"\\*"' }`), ['quoted']],
    ['keywords anywhere', 'k: [alpha, CURL]\ncondition: k', ['list', 'night']],
    ['all keywords', `k: { '|all': [alpha, beta] }\ncondition: k`, ['list']],
    ['keywords with quotation marks', `k: ['{"Action":"\\*"}', '"MFAUsed":"No"']\ncondition: k`, ['quoted', 'sign']],
    ['keywords with backslashes', `k: ['100% a\\b_c\\*\\?']\ncondition: k`, ['quoted']],
    [
      'one of',
      `sel_a: { eventName: TagUser }\nsel_b: { errorCode: AccessDenied }\nother: { eventName: ConsoleLogin }\ncondition: 1 of sel_*`,
      ['denied', 'list'],
    ],
    [
      'all of them but those with an underscore',
      `a: { eventName: CreateUser }\nb: { errorCode: AccessDenied }\n_c: { eventName: no }\ncondition: all of them`,
      ['denied'],
    ],
    [
      'two of',
      `a: { eventName: CreateUser }\nb: { errorCode: AccessDenied }\nc: { requestParameters.userName|contains: bob }\ncondition: 2 of them`,
      ['denied', 'lower'],
    ],
    [
      'precedence',
      `a: { eventName: TagUser }\nb: { eventName: CreateUser }\nc: { errorCode: AccessDenied }\ncondition: a or b and not c`,
      ['list', 'lower', 'user'],
    ],
    [
      'brackets',
      `a: { eventName: TagUser }\nb: { eventName: CreateUser }\nc: { errorCode: AccessDenied }\ncondition: (a or b) and not (c or not not a)`,
      ['lower', 'user'],
    ],
    [
      'several conditions',
      `a: { eventName: TagUser }\nb: { errorCode: AccessDenied }\ncondition: [a, b]`,
      ['denied', 'list'],
    ],
  ])('%s', async (_, detection, ids) => {
    expect(idsOf(await found(imported(rule(detection))))).toEqual([...ids].sort());
  });
});

it('says which selections and fields matched', async () => {
  const statement = imported(
    rule(
      `selection: { eventName: createuser }
target: [{ requestParameters.userName|startswith: adm }, { errorCode: AccessDenied }]
filter: { readOnly: true }
words: [admin-eve]
condition: selection and target and not filter or words`,
    ) + '\nfields: [userAgent]',
  );
  const rows = await found(statement);
  expect(rows.map(({ event_id: id, detail }) => [id, (detail as Record<string, unknown>)['matched']])).toEqual(
    expect.arrayContaining([
      [
        'user',
        {
          selection: { eventName: 'CreateUser' },
          target: [{ 'requestParameters.userName|startswith': ['admin-eve'] }],
          words: { record: true },
        },
      ],
      ['denied', { selection: { eventName: 'CreateUser' }, target: [{ errorCode: 'AccessDenied' }] }],
    ]),
  );
  expect(rows[0]?.['detail']).toMatchObject({ fields: { userAgent: 'aws-cli/2.31.4' } });
});

const HOSTILE = [
  `'; drop table x; --`,
  `*/ select 1 /*`,
  `a\\'b`,
  `$1`,
  `\${x}`,
  `"`,
  `%`,
  `E'\\\\'`,
  'a\u2028b',
  'a\nb',
  ':x',
  '%s',
];

it.each(HOSTILE)('takes %j for a text, wherever it stands', async (text) => {
  const word = JSON.stringify(text);
  const statement = `title: ${word}
id: ${word}
author: ${word}
description: ${word}
license: ${word}
references: [${word}]
falsepositives: [${word}]
logsource: { product: aws, service: cloudtrail }
fields: [${JSON.stringify(`x.${text.replace(/[.\n]/g, '')}y`)}]
detection:
  ${word}: { eventName: ${word}, requestParameters|contains: ${word}, ${JSON.stringify(`z${text.replace(/[|.\n]/g, '')}`)}: ${word} }
  keywords: [${word}]
  other: { eventName: TagUser }
  condition: other or keywords and 1 of them`;
  const { hunts, refused } = sigma.read([{ path: 'rule.yml', text: statement }], 'cloudtrail_trail_event');
  expect(refused).toEqual([]);
  const sql = huntText('sigma/rule', hunts[0]!);
  const hunt = parseHunt(sql, 'sigma/rule', 'rule.sql');
  expect(hunt.title).toBe(text.split(/\s+/).filter(Boolean).join(' '));
  expect(idsOf(await found(hunt.sql))).toContain('list');
});

it('is what a check finds nothing wrong with', async () => {
  const { host, port, password } = road.endpoint;
  const sql = await connectSql(
    { host, port, user: 'trailhound', database: 'trailhound', password, tls: false },
    () => undefined,
  );
  try {
    const { hunts } = sigma.read(
      [{ path: 'rule.yml', text: rule('s: { eventName: x }\ncondition: s') }],
      'cloudtrail_trail_event',
    );
    const text = huntText('sigma/rule', hunts[0]!);
    expect(await checkHunt(sql, parseHunt(text, 'sigma/rule', 'rule.sql'))).toEqual([]);
  } finally {
    await sql.close();
  }
});
