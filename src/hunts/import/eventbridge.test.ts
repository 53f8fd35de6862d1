import { expect, it } from 'vitest';
import { eventBridge } from './eventbridge.ts';

const read = (text: string, path = 'rules.json') => eventBridge.read([{ path, text }], 'cloudtrail_trail_event');
const PATTERN = { source: ['aws.iam'], detail: { eventName: ['CreateUser'] } };
const AS_JSON = JSON.stringify(PATTERN);

it.each([
  ['a pattern', PATTERN, ['rules', 'rules.json']],
  ['a pattern as jsonencode() saves it', AS_JSON, ['rules', 'rules.json']],
  [
    'a rule as the service describes it',
    { Name: 'new-user', Arn: 'arn:aws:events:us-east-1:111122223333:rule/new-user', EventPattern: AS_JSON },
    ['new-user', 'rules.json'],
  ],
  ['a list of rules', { Rules: [{ Name: 'new-user', EventPattern: AS_JSON }] }, ['new-user', 'rules.json: new-user']],
  [
    'a template',
    { Resources: { NewUser: { Type: 'AWS::Events::Rule', Properties: { EventPattern: PATTERN } } } },
    ['NewUser', 'rules.json: Resources.NewUser'],
  ],
  [
    'a plan of Terraform',
    {
      terraform_version: '1.13.0',
      planned_values: {
        root_module: {
          child_modules: [
            {
              resources: [
                {
                  address: 'module.a.aws_cloudwatch_event_rule.user',
                  type: 'aws_cloudwatch_event_rule',
                  name: 'user',
                  values: { name: 'new-user', event_pattern: AS_JSON },
                },
                { address: 'module.a.aws_sns_topic.out', type: 'aws_sns_topic', name: 'out', values: {} },
              ],
            },
          ],
        },
      },
    },
    ['new-user', 'rules.json: module.a.aws_cloudwatch_event_rule.user'],
  ],
  [
    'a state of Terraform',
    {
      terraform_version: '1.13.0',
      resources: [
        { type: 'aws_cloudwatch_event_rule', name: 'user', instances: [{ attributes: { event_pattern: AS_JSON } }] },
      ],
    },
    ['user', 'rules.json: aws_cloudwatch_event_rule.user'],
  ],
])('finds the rule in %s', (_, value, [name, place]) => {
  const { hunts, refused } = read(JSON.stringify(value, null, '\t'));
  expect(refused).toEqual([]);
  expect(hunts).toMatchObject([{ name, place }]);
  expect(hunts[0]?.statement).toContain(`'{"source": ["aws.iam"], "detail": {"eventName": ["CreateUser"]}}'`);
});

it('finds rules, and those of functions, in a template in YAML', () => {
  const { hunts, refused } = read(
    `AWSTemplateFormatVersion: 2010-09-09
Resources:
  Root:
    Type: AWS::Events::Rule
    Properties:
      Description: Root signs in
      State: DISABLED
      EventPattern: { detail: { userIdentity: { type: [Root] } } }
      Targets: [!GetAtt Topic.Arn]
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        User: { Type: EventBridgeRule, Properties: { Pattern: { detail: { eventName: [CreateUser] } } } }
        Daily: { Type: Schedule, Properties: { Schedule: rate(1 day) } }
`,
    'template.yaml',
  );
  expect(refused).toEqual([]);
  expect(hunts).toMatchObject([
    { name: 'Root', title: 'Root signs in', origin: ['Amazon EventBridge rule Root, disabled'] },
    { name: 'Function-User', place: 'template.yaml: Resources.Function.Events.User' },
  ]);
});

it('leaves words alone that are booleans in YAML 1.1 where they stand in quotes, or outside of a pattern', () => {
  const { hunts, refused } = read(
    `Resources:
  A:
    Type: AWS::Events::Rule
    Properties: { EventPattern: { detail: { eventName: ["yes"] } } }
  B: { Type: AWS::SNS::Topic, Properties: { FifoTopic: yes } }
`,
    'template.yaml',
  );
  expect(refused).toEqual([]);
  expect(hunts[0]?.statement).toContain('["yes"]');
});

it.each([
  ['JSON that is none', '{"source": [', /^rules\.json:1$/, /flow sequence/i],
  [
    'a rule on a schedule',
    '{"Name": "daily", "ScheduleExpression": "rate(1 day)"}',
    /^rules\.json$/,
    /no event pattern/,
  ],
  [
    'events of others',
    '{"detail-type": ["GuardDuty Malware Protection Object Scan Result"]}',
    /json$/,
    /no table has events of the detail-type/,
  ],
  [
    'what is neither a call nor a finding',
    '{"source": ["aws.s3"], "detail": {"severity": [5]}}',
    /json$/,
    /neither a call nor a finding/,
  ],
  [
    'fields of events that no table has',
    '{"source": ["aws.ec2"], "detail": {"state": ["terminated"]}}',
    /json$/,
    /^neither calls nor findings have detail\.state: no table has such events$/,
  ],
  [
    'fields that no event has',
    '{"source": ["aws.iam"], "detail_type": ["AWS API Call via CloudTrail"]}',
    /json$/,
    /^no event has a field detail_type: did you mean detail-type\?$/,
  ],
  ['sources of others', '{"source": ["com.example"]}', /json$/, /of the source com\.example/],
  [
    'a text to be filled in',
    '{"detail": {"eventName": ["${var.name}"]}}',
    /json$/,
    /detail\.eventName\[0\] has a value/,
  ],
  [
    'numbers that lose digits in a text',
    JSON.stringify({ Name: 'x', EventPattern: '{"detail": {"a": [{"numeric": ["=", 12345678901234567890]}]}}' }),
    /json$/,
    /12345678901234567890 would lose digits/,
  ],
  [
    'keys that stand twice in a text',
    JSON.stringify({ Name: 'x', EventPattern: '{"source": ["aws.iam"], "source": ["aws.sts"]}' }),
    /json$/,
    /unique/,
  ],
  ['a text that is no JSON', '{"Name": "x", "EventPattern": "source: [aws.iam]"}', /json$/, /the text is no JSON/],
  [
    'what is nested too deeply',
    `{"detail": ${'{"a":'.repeat(600)}["x"]${'}'.repeat(600)}}`,
    /json$/,
    /^it is nested too deeply$/,
  ],
  ['what the parser cannot follow', `{"detail": ${'['.repeat(50_000)}`, /json/, /^it is nested too deeply$/],
  ['what holds itself', '{"detail": &a {"b": *a}}', /json$/, /nested too deeply|lias/],
  [
    'what is a boolean to CloudFormation and a text to us',
    'Resources:\n  A:\n    Type: AWS::Events::Rule\n    Properties:\n      EventPattern: { detail: { a: [yes] } }',
    /json: Resources\.A$/,
    /^yes at detail\.a\[0\] is a boolean to CloudFormation: write it in quotes$/,
  ],
  ['fractions that lose digits', '{"detail": {"severity": [0.12345678901234567890]}}', /json:1$/, /in quotes/],
  ['numbers that are too large', '{"detail": {"severity": [1e400]}}', /json:1$/, /in quotes/],
  ['numbers that lose digits', '{"account": [012345678901]}', /json:1$/, /in quotes/],
  [
    'what CloudFormation computes',
    'Resources:\n  A:\n    Type: AWS::Events::Rule\n    Properties:\n      EventPattern: { account: [!Ref X] }',
    /json: Resources\.A$/,
    /!Ref at account\[0\] is known to CloudFormation alone/,
  ],
])('refuses %s, with the place and the reason', (_, text, place, reason) => {
  const { hunts, refused } = read(text);
  expect(hunts).toEqual([]);
  expect(refused).toHaveLength(1);
  expect(refused[0]?.place).toMatch(place);
  expect(refused[0]?.reason).toMatch(reason);
});

const CALLS = 'cloudtrail_trail_event';
const FINDINGS = 'guardduty_finding';

it.each([
  [{ source: ['aws.guardduty'], 'detail-type': ['GuardDuty Finding'] }, [FINDINGS]],
  [{ source: ['aws.guardduty'], detail: { type: [{ prefix: 'Recon:EC2' }] } }, [FINDINGS]],
  [{ 'detail-type': ['GuardDuty Finding'] }, [FINDINGS]],
  [{ source: ['aws.guardduty'], 'detail-type': ['AWS API Call via CloudTrail'] }, [CALLS]],
  [{ source: ['aws.guardduty'], detail: { eventName: ['CreateIPSet'] } }, [CALLS]],
  [{ 'detail-type': ['GuardDuty Finding', 'AWS API Call via CloudTrail'] }, [CALLS, FINDINGS]],
  [{ detail: { $or: [{ eventName: ['CreateIPSet'] }, { userIdentity: { type: ['Root'] } }] } }, [CALLS]],
])('%j is about %j', (pattern, tables) => {
  const { hunts, refused } = read(JSON.stringify(pattern));
  expect(refused).toEqual([]);
  expect(hunts.flatMap((hunt) => hunt.tables)).toEqual(tables);
  expect(hunts.map(({ lost }) => lost)).toEqual(tables.map(() => undefined));
});

const UNLISTED = 'events that are neither calls nor findings, because the pattern does not list its detail-types';

it.each([
  [{ source: ['aws.guardduty'] }, [CALLS, FINDINGS], UNLISTED],
  [{ source: [{ prefix: 'aws.' }] }, [CALLS, FINDINGS], UNLISTED],
  [{ source: [{ 'anything-but': ['aws.guardduty'] }] }, [CALLS], UNLISTED],
  [{ source: ['aws.ec2'] }, [CALLS], UNLISTED],
  [{ detail: { severity: [{ numeric: ['>=', 7] }] } }, [FINDINGS], UNLISTED],
  [{ detail: { severity: [{ exists: false }] } }, [CALLS, FINDINGS], UNLISTED],
  [{ $or: [{ source: ['aws.guardduty'] }, { detail: { eventName: ['x'] } }] }, [CALLS, FINDINGS], UNLISTED],
  [
    { 'detail-type': ['AWS API Call via CloudTrail', 'EC2 Instance State-change Notification'] },
    [CALLS],
    'events of the detail-type EC2 Instance State-change Notification',
  ],
  [{ source: ['aws.iam', 'my.app'] }, [CALLS], 'events of the source my.app'],
])('%j is about %j, and says what no table has', (pattern, tables, lost) => {
  const { hunts, refused } = read(JSON.stringify(pattern));
  expect(refused).toEqual([]);
  expect(hunts.flatMap((hunt) => hunt.tables)).toEqual(tables);
  for (const hunt of hunts) {
    expect(hunt.lost).toBe(lost);
    expect(hunt.origin).toContain(`Not in any table: ${lost}`);
  }
});

it.each([['{"name": "x", "version": "1.0.0"}'], ['[]'], ['{"Resources": {}}'], ['a: 1']])(
  'finds no rule in %s',
  (text) => {
    expect(read(text)).toEqual({ hunts: [], refused: [] });
  },
);

it.each(['4.50', '3e2', '0.1', '10000000000000000000', '-0', '1.7976931348623157e308'])(
  'takes the number %s',
  (number) => {
    expect(read(`{"detail": {"severity": [${number}]}}`)).toMatchObject({ refused: [], hunts: [{}] });
  },
);
