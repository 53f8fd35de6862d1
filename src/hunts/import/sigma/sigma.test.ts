import { describe, expect, it } from 'vitest';
import { sigma } from './sigma.ts';

const HEAD = 'title: made up\nlogsource: { product: aws, service: cloudtrail }\n';
const TABLE = 'cloudtrail_trail_event';
const read = (text: string, path = 'rules/a_rule.yml') => sigma.read([{ path, text }], TABLE);
const refusals = (text: string) => read(text).refused.map(({ place, reason }) => `${place}: ${reason}`);

it('keeps what a rule says of itself', () => {
  const { hunts, refused } = read(`title: Somebody's key
id: 0f0f0f0f-1111-4222-8333-444444444444
status: test
description: |
  What it is,
  in two lines
author: Ann, Bob
date: 2026-01-02
modified: 2026/02/03
license: CC0-1.0
references: [https://example.com/a]
related: [{ id: 1f0f0f0f-1111-4222-8333-444444444444, type: derived }]
tags: [attack.persistence, attack.t1078, attack.t1098.001]
falsepositives: [Administrators]
level: critical
logsource: { product: aws, service: cloudtrail }
detection: { s: { eventName: CreateAccessKey }, condition: s }
`);
  expect(refused).toEqual([]);
  expect(hunts).toMatchObject([
    {
      place: 'rules/a_rule.yml',
      name: 'a_rule',
      title: "Somebody's key",
      severity: 'critical',
      mitre: ['T1078', 'T1098.001'],
      falsePositives: ['Administrators'],
      references: ['https://example.com/a'],
      origin: [
        'Sigma rule 0f0f0f0f-1111-4222-8333-444444444444',
        'Description: What it is,\nin two lines',
        'Author: Ann, Bob',
        'License: CC0-1.0',
        'Status: test',
        'Date: 2026-01-02',
        'Modified: 2026/02/03',
        'Tags: attack.persistence, attack.t1078, attack.t1098.001',
        'Related: 1f0f0f0f-1111-4222-8333-444444444444 (derived)',
      ],
    },
  ]);
});

it('asks columns where the record has one, and the smallest part of the record else', () => {
  const [hunt] = read(`${HEAD}detection:
  s: { eventName: [a, b], userIdentity.arn|endswith: x, requestParameters.a.b: c, vpc.x: y, errorCode|exists: true }
  condition: s`).hunts;
  for (const piece of [
    `e.event_name ilike any (array['a', 'b'])`,
    `e.user_arn ilike '%x'`,
    `jsonb_path_query(e.request_parameters, '$."a"[*]."b"[*]')`,
    `jsonb_path_query(e.cloudtrail_event, '$."vpc"[*]."x"[*]')`,
    `jsonb_path_exists(e.cloudtrail_event, '$."errorCode"')`,
  ]) {
    expect(hunt?.statement).toContain(piece);
  }
});

it('reads several documents of a file, and refuses one of them alone', () => {
  const { hunts, refused } = read(`${HEAD}name: first\ndetection: { s: { a: b }, condition: s }
---
${HEAD}detection: { s: { a|foo: b }, condition: s }
---
`);
  expect(hunts.map(({ name, place }) => [name, place])).toEqual([['first', 'rules/a_rule.yml:1']]);
  expect(refused).toEqual([{ place: 'rules/a_rule.yml:5', reason: 'detection.s.a|foo: there is no modifier foo' }]);
});

describe('refuses, with the reason,', () => {
  it.each([
    [
      'another log source',
      'title: x\nlogsource: { product: windows, category: process_creation }\n',
      'logsource: process_creation/windows',
    ],
    ['no title', 'id: x', 'it has no title'],
    ['a level that is none', `${HEAD}level: huge`, 'level: huge is none'],
    ['another taxonomy', `${HEAD}taxonomy: ecs`, 'taxonomy'],
    ['no detection', HEAD, 'detection: it is no map'],
    ['no condition', `${HEAD}detection: { s: { a: b } }`, 'detection.condition: there is none'],
    [
      'a wrong condition',
      `${HEAD}detection: { s: { a: b }, condition: t }`,
      'detection.condition: there is no search identifier t',
    ],
    ['an empty selection', `${HEAD}detection: { s: {}, condition: s }`, 'detection.s: it is empty'],
    ['an empty list', `${HEAD}detection: { s: [], condition: s }`, 'detection.s: it is empty'],
    [
      'a place in a list',
      `${HEAD}detection: { s: [{ a: b }, { a|re: '(' }], condition: s }`,
      'detection.s[1].a|re: the regular expression has',
    ],
    [
      'a keyword that is no text',
      `${HEAD}detection: { s: [{ '|gt': 5 }], condition: s }`,
      'the whole record is searched for texts alone',
    ],
    ['the begin of a record', `${HEAD}detection: { s: { '|startswith': a }, condition: s }`, 'a record has no start'],
    ['a field that is none', `${HEAD}detection: { s: { a..b: c }, condition: s }`, '"a..b" is no field'],
    ['timeframe', `${HEAD}detection: { s: { a: b }, timeframe: 5m, condition: s }`, 'correlation rules'],
    ['filters', 'title: x\nfilter: { rules: [a], selection: { a: b }, condition: selection }', 'filters of Sigma'],
    ['global documents', 'action: global\ntitle: x', '"action"'],
    ['too many values', `${HEAD}detection: { s: { a: [${'x,'.repeat(5_001)}] }, condition: s }`, 'it has 5001 values'],
    [
      'lists within lists',
      `${HEAD}detection: { s: ${'['.repeat(40)}{ a: b }${']'.repeat(40)}, condition: s }`,
      'more than 20 lists',
    ],
    ['what is no YAML', 'title: [', 'flow'],
    ['keys that stand twice', `${HEAD}${HEAD}`, 'unique'],
    [
      'what grows',
      `a: &a [x,x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
        .split('')
        .map((name, index) => `${name}: &${name} [${`*${'abcdefg'.charAt(index)},`.repeat(10)}]`)
        .join('\n')}`,
      'lias',
    ],
    ['what is nested deeply', `title: ${'['.repeat(50_000)}`, 'it is nested too deeply'],
    ['what is too large', `title: ${'x'.repeat(1024 * 1024)}`, 'larger than 1 MiB'],
  ])('%s', (_, text, reason) => {
    const found = refusals(text);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(reason);
  });
});

it('lets watches look back a day for events, and as far as since says for correlations', () => {
  const rule = `${HEAD}name: a\nid: b\ndetection: { s: { eventName: a }, condition: s }\n`;
  const many =
    'title: b\ncorrelation: { type: event_count, rules: [a], generate: true, timespan: 5m, condition: { gte: 2 } }';
  expect(read(`${rule}---\n${many}`).hunts.map(({ watch }) => watch)).toEqual(['1 day', undefined]);
});

describe('correlations', () => {
  const rules = `${HEAD}name: one\ndetection: { s: { eventName: a }, condition: s }
---
${HEAD}name: two\ndetection: { s: { eventName: b }, condition: s }
---
`;
  const correlation = (body: string) => `${rules}title: both\ncorrelation: { ${body} }\n`;

  it('make one hunt of rules, which are none of their own', () => {
    const text = correlation('type: temporal, rules: [one, two], group-by: [userIdentity.arn], timespan: 5m');
    expect(read(text).hunts.map(({ title }) => title)).toEqual(['both']);
    expect(read(text.replace('temporal,', 'temporal, generate: true,')).hunts).toHaveLength(3);
  });

  it('may name rules of other files, by id or name', () => {
    const { hunts, refused } = sigma.read(
      [
        { path: 'a.yml', text: `${HEAD}id: 4f\ndetection: { s: { eventName: a }, condition: s }` },
        {
          path: 'b.yml',
          text: 'title: many\ncorrelation: { type: event_count, rules: [4f], timespan: 1d, condition: { gte: 3 } }',
        },
      ],
      TABLE,
    );
    expect(refused).toEqual([]);
    expect(hunts.map(({ name }) => name)).toEqual(['b']);
  });

  it.each([
    [
      'type: value_percentile, rules: [one], timespan: 5m',
      'correlation.type: of value_percentile, the specification leaves open',
    ],
    ['type: event_count, rules: [one], timespan: 5m', 'correlation.condition: it has no limit'],
    ['type: event_count, rules: [one], timespan: 5x, condition: { gte: 3 }', 'correlation.timespan: "5x"'],
    ['type: event_count, rules: [three], timespan: 5m, condition: { gte: 3 }', 'three is not among the rules'],
    [
      'type: event_count, rules: [one], timespan: 5m, condition: { gte: x }',
      'correlation.condition.gte: it takes a number',
    ],
    ['type: event_count, rules: [one], timespan: 5m, condition: { above: 1 }', 'correlation.condition.above'],
    ['type: event_count, rules: [one], timespan: 5m, condition: { field: a, gte: 1 }', 'event_count takes none'],
    ['type: value_count, rules: [one], timespan: 5m, condition: { gte: 1 }', 'correlation.condition.field'],
    ['type: temporal, rules: [one, one], timespan: 5m', 'one of them stands twice'],
    [
      'type: temporal, rules: [one, two], timespan: 5m, condition: "one and two"',
      'correlation.condition: it is no map',
    ],
    ['type: temporal_ordered, rules: [one, two], timespan: 5m, condition: { gte: 1 }', 'correlation.condition'],
    [
      'type: temporal, rules: [one, two], timespan: 5m, group-by: [x], aliases: { x: { one: a } }',
      'it names no field of two',
    ],
    ['type: temporal, rules: [self, two], timespan: 5m }\nname: self\nx: { y: z', 'the correlations name each other'],
  ])('are refused: %s', (body, reason) => {
    const found = refusals(correlation(body));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(reason);
  });
});
