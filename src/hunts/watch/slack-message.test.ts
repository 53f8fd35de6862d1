import { expect, it } from 'vitest';
import { parseHunt } from '../parse-hunt.ts';
import type { RowsNotification, ToldRow } from './notification.ts';
import { slackMessage } from './slack-message.ts';

const hunt = parseHunt(
  `-- id: guardduty/finding-reputation
-- title: Findings & their addresses
-- severity: high
-- tables: guardduty_finding
-- parameter: since interval = 7 days; how far back
-- parameter: until interval = 0 days; when to stop
`,
  'guardduty/finding-reputation',
  'x.sql',
);

const ROW: ToldRow = {
  event_time: '2026-11-21 10:00:00+00',
  severity: 'high',
  principal: 'deploy-bot',
  action: 'UnauthorizedAccess:IAMUser/TorIPCaller',
  resource: 'AKIAIOSFODNN7EXAMPLE',
  source_ip: '45.83.12.7',
  account_id: '111122223333',
  region: 'eu-west-1',
  event_id: 'finding-1',
  console_url: 'https://eu-west-1.console.aws.amazon.com/guardduty/home?region=eu-west-1&x=1#/findings',
  detail: JSON.stringify({
    title: 'Called from Tor.',
    first_seen_at: '2026-11-20T09:00:00Z',
    last_seen_at: '2026-11-21T10:00:00Z',
  }),
  count: '17',
};

function notification(rows: readonly ToldRow[]): RowsNotification {
  const counts = (name: string) => {
    const values = rows.map((row) => row[name] ?? 'unknown');
    return new Map(values.map((value) => [value, values.filter((other) => other === value).length]));
  };
  return {
    kind: 'rows',
    hunt,
    rows,
    total: rows.length,
    bySeverity: counts('severity'),
    byAccount: counts('account_id'),
    byRegion: counts('region'),
  };
}

it('says of a row what somebody who is woken by it has to know', () => {
  const { text, blocks } = slackMessage(notification([ROW]));
  expect(text).toBe('HIGH: Findings &amp; their addresses (1 new)');
  expect(blocks.map(({ type }) => type)).toEqual(['header', 'context', 'divider', 'section', 'context']);
  const section = blocks[3];
  expect(section).toMatchObject({ text: { text: 'UnauthorizedAccess:IAMUser/TorIPCaller\nCalled from Tor.' } });
  expect(section?.type === 'section' && section.fields?.map((field) => field.text)).toEqual([
    'Severity\nhigh',
    'Account\n111122223333',
    'Region\neu-west-1',
    'Principal\ndeploy-bot',
    'Resource\nAKIAIOSFODNN7EXAMPLE',
    'Address\n45.83.12.7',
    'First seen\n2026-11-20T09:00:00Z',
    'Last seen\n2026-11-21T10:00:00Z',
    'Count\n17',
    'Event\nfinding-1',
  ]);
  expect(JSON.stringify(blocks[4])).toContain('region=eu-west-1&amp;x=1#/findings|Open in the console>');
});

it('shows what others have named as text: no mention, no link, no bold, no line of its own', () => {
  const hostile = { ...ROW, principal: '<!channel> <https://evil.example|ok> `x` *y*\n*Severity*\u2028low\u202e' };
  const { blocks } = slackMessage(notification([hostile]));
  const section = blocks[3];
  expect(section?.type === 'section' && section.fields?.[3]).toEqual({
    type: 'plain_text',
    text: 'Principal\n<!channel> <https://evil.example|ok> `x` *y* *Severity* low ',
    emoji: false,
  });
  const many = Array.from({ length: 11 }, () => hostile);
  const interpreted = [...blocks, ...slackMessage(notification(many)).blocks].flatMap((block) => {
    const texts =
      block.type === 'section' ? [block.text, ...(block.fields ?? [])] : block.type === 'context' ? block.elements : [];
    return texts.filter(({ type }) => type === 'mrkdwn').map(({ text }) => text);
  });
  expect(interpreted).toHaveLength(6);
  for (const text of interpreted)
    expect(text).toMatch(/^<https:\/\/eu-west-1\.console\.aws\.amazon\.com\/[^<>|]*\|[^<>|]*>$/);
});

it('mentions nobody in the text that telephones show, whatever titles and errors say', () => {
  const titled = { ...notification([ROW]), hunt: { ...hunt, title: '<!channel> & all' } };
  expect(slackMessage(titled).text).toBe('HIGH: &lt;!channel&gt; &amp; all (1 new)');
  const failed = slackMessage({
    kind: 'failed',
    hunt,
    sqlstate: '22P02',
    message: 'invalid input: "<!here>"\n<@U1>',
    detail: undefined,
    hint: undefined,
  });
  expect(failed.text).toBe('Hunt fails: guardduty/finding-reputation: invalid input: "&lt;!here&gt;" &lt;@U1&gt;');
});

it.each([
  ['https://eu-west-1.console.aws.amazon.com/x', true],
  ['https://console.aws.amazon.com/x', true],
  ['https://cn-north-1.console.amazonaws.cn/x', true],
  ['https://us-gov-west-1.console.amazonaws-us-gov.com/x', true],
  ['javascript:alert(1)', false],
  ['http://eu-west-1.console.aws.amazon.com/x', false],
  ['https://evil.example/#.console.aws.amazon.com/x', false],
  ['https://evilconsole.aws.amazon.com/x', false],
  ['https://console.aws.amazon.com.evil.example/x', false],
  ['https://console.aws.amazon.com@evil.example/x', false],
  ['https://console.aws.amazon.com:8443/x', false],
])('links to consoles of AWS alone: %s, %s', (url, isLink) => {
  expect(slackMessage(notification([{ ...ROW, console_url: url }])).blocks).toHaveLength(isLink ? 5 : 4);
});

it('sums up where there are many, the most severe first in the title', () => {
  const rows = Array.from({ length: 40 }, (_, index) => ({
    ...ROW,
    severity: index === 30 ? 'critical' : 'low',
    region: `region-${index % 5}`,
    event_id: `finding-${index}`,
  }));
  const { text, blocks } = slackMessage(notification(rows));
  expect(text).toBe('CRITICAL: Findings &amp; their addresses (40 new)');
  expect(blocks.map(({ type }) => type)).toEqual([
    'header',
    'section',
    'divider',
    ...Array<string>(5).fill('section'),
    'context',
  ]);
  expect(JSON.stringify(blocks[1])).toContain('39 low, 1 critical');
  expect(JSON.stringify(blocks[1])).toContain('8 region-0, 8 region-1, 8 region-2, 2 others');
  expect(JSON.stringify(blocks.at(-1))).toContain(
    'The first 5 of 40. All of them: trailhound hunt run guardduty/finding-reputation',
  );
});

it('stays within what Slack takes, whatever the values are', () => {
  const long = Object.fromEntries(Object.keys(ROW).map((name) => [name, '&'.repeat(10_000)]));
  const rows = Array.from({ length: 10 }, () => ({ ...long, detail: JSON.stringify({ title: '<'.repeat(10_000) }) }));
  const { blocks } = slackMessage(notification(rows));
  expect(blocks.length).toBeLessThanOrEqual(50);
  for (const block of blocks) {
    if (block.type !== 'section') continue;
    expect(block.text.text.length).toBeLessThanOrEqual(3_000);
    expect(block.fields?.length).toBeLessThanOrEqual(10);
    for (const { text } of block.fields ?? []) expect(text.length).toBeLessThanOrEqual(2_000);
  }
});
