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
  expect(text).toBe('HIGH: Findings & their addresses (1 new)');
  expect(blocks.map(({ type }) => type)).toEqual(['header', 'context', 'divider', 'section', 'context']);
  const section = blocks[3];
  expect(section).toMatchObject({ text: { text: '*UnauthorizedAccess:IAMUser/TorIPCaller*\nCalled from Tor.' } });
  expect(section?.type === 'section' && section.fields?.map((field) => field.text)).toEqual([
    '*Severity*\nhigh',
    '*Account*\n111122223333',
    '*Region*\neu-west-1',
    '*Principal*\ndeploy-bot',
    '*Resource*\nAKIAIOSFODNN7EXAMPLE',
    '*Address*\n45.83.12.7',
    '*First seen*\n2026-11-20T09:00:00Z',
    '*Last seen*\n2026-11-21T10:00:00Z',
    '*Count*\n17',
    '*Event*\nfinding-1',
  ]);
  expect(JSON.stringify(blocks[4])).toContain('region=eu-west-1&amp;x=1#/findings|Open in the console>');
});

it('shows what others have named as text: no mention, no link, no line of its own', () => {
  const hostile = { ...ROW, principal: '<!channel> <https://evil.example|ok>\n*Severity*\u2028low\u202e' };
  const text = JSON.stringify(slackMessage(notification([hostile])));
  expect(text).toContain('*Principal*\\n&lt;!channel&gt; &lt;https://evil.example|ok&gt; *Severity* low ');
  expect(text).not.toMatch(/<!channel|<https:\/\/evil|\u202e/);
  const scripted = { ...ROW, console_url: 'javascript:alert(1)' };
  expect(slackMessage(notification([scripted])).blocks).toHaveLength(4);
});

it('sums up where there are many, the most severe first in the title', () => {
  const rows = Array.from({ length: 40 }, (_, index) => ({
    ...ROW,
    severity: index === 30 ? 'critical' : 'low',
    region: `region-${index % 5}`,
    event_id: `finding-${index}`,
  }));
  const { text, blocks } = slackMessage(notification(rows));
  expect(text).toBe('CRITICAL: Findings & their addresses (40 new)');
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
