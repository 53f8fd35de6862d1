import { SEVERITIES } from '../hunt.ts';
import { byFrequency, type Counts, type Notification, type RowsNotification, type ToldRow } from './notification.ts';
import {
  context,
  escapedLine,
  field,
  header,
  link,
  plain,
  section,
  type Block,
  type SlackMessage,
} from './slack-blocks.ts';

/** Above it one message sums up: nobody reads more, and Slack takes 50 blocks. */
const SINGLE_ROWS = 10;
/** Shown of those that are summed up. */
const FIRST_ROWS = 5;

/** The body of a request to an incoming webhook: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
export function slackMessage(notification: Notification): SlackMessage {
  switch (notification.kind) {
    case 'rows':
      return notification.total <= SINGLE_ROWS ? single(notification) : summary(notification);
    case 'failed': {
      const { hunt, sqlstate, message, detail, hint } = notification;
      const title = hunt === undefined ? 'Hunts cannot run' : `Hunt fails: ${hunt.id}`;
      const lines = [`${plain(message, 1000)} (${plain(sqlstate)})`, plain(detail, 1000), plain(hint, 500)];
      return {
        text: escapedLine(`${title}: ${message}`),
        blocks: [
          header(title),
          section(lines.filter((line) => line !== '').join('\n')),
          context('Until it runs again nothing is found. Once it does, it looks back over all of that time.'),
        ],
      };
    }
    case 'recovered': {
      const title = notification.hunt === undefined ? 'Hunts run again' : `Hunt runs again: ${notification.hunt.id}`;
      const { failedSince } = notification;
      const text = failedSince === undefined ? 'It runs again.' : `It had failed since ${plain(failedSince)}.`;
      return { text: escapedLine(title), blocks: [header(title), section(text)] };
    }
  }
}

function single({ hunt, rows, total, bySeverity }: RowsNotification): SlackMessage {
  const title = `${mostSevere(bySeverity).toUpperCase()}: ${hunt.title}`;
  return {
    text: escapedLine(`${title} (${total} new)`),
    blocks: [
      header(title),
      context(`${plain(hunt.id)} · ${total} new ${total === 1 ? 'row' : 'rows'}`),
      ...rows.flatMap((row) => [{ type: 'divider' } as const, ...details(hunt.title, row)]),
    ],
  };
}

function summary({ hunt, rows, total, bySeverity, byAccount, byRegion }: RowsNotification): SlackMessage {
  const title = `${mostSevere(bySeverity).toUpperCase()}: ${hunt.title}`;
  return {
    text: escapedLine(`${title} (${total} new)`),
    blocks: [
      header(title),
      section(`${total} new rows of ${plain(hunt.id)}`, [
        field('Severity', counted(bySeverity)),
        field('Account', counted(byAccount)),
        field('Region', counted(byRegion)),
      ]),
      { type: 'divider' },
      ...rows.slice(0, FIRST_ROWS).map((row) => line(row)),
      context(
        `The first ${Math.min(FIRST_ROWS, rows.length)} of ${total}. All of them: trailhound hunt run ${plain(hunt.id)}`,
      ),
    ],
  };
}

function details(title: string, row: ToldRow): readonly Block[] {
  const detail = detailOf(row);
  const time = row['event_time'] ?? null;
  const block = section(`${plain(row['action'])}\n${plain(detail['title'] ?? title, 500)}`, [
    field('Severity', row['severity']),
    field('Account', row['account_id']),
    field('Region', row['region']),
    field('Principal', row['principal']),
    field('Resource', row['resource']),
    field('Address', row['source_ip']),
    field('First seen', detail['first_seen_at'] ?? detail['first_seen'] ?? time),
    field('Last seen', detail['last_seen_at'] ?? detail['last_seen'] ?? time),
    field('Count', row['count'] ?? row['calls'] ?? '1'),
    field('Event', row['event_id']),
  ]);
  const url = link(row['console_url'], 'Open in the console');
  return url === undefined ? [block] : [block, context(url)];
}

function line(row: ToldRow): Block {
  const url = link(row['console_url'], 'open');
  const parts = [
    row['event_time'],
    row['severity'],
    row['action'],
    row['principal'],
    row['resource'],
    row['source_ip'],
  ];
  const text = parts.filter((part) => part !== null && part !== undefined).map((part) => plain(part, 150));
  return section(text.join(' · '), url === undefined ? undefined : [url]);
}

function counted(counts: Counts): string {
  const [first, second, third, ...others] = byFrequency(counts);
  const shown = [first, second, third].flatMap((entry) => (entry === undefined ? [] : [`${entry[1]} ${entry[0]}`]));
  return [...shown, ...(others.length === 0 ? [] : [`${others.length} others`])].join(', ');
}

function mostSevere(counts: Counts): string {
  return SEVERITIES.findLast((severity) => counts.has(severity)) ?? 'info';
}

/** The values of `detail` that are text or numbers. */
function detailOf({ detail }: ToldRow): Readonly<Record<string, string>> {
  if (detail === null || detail === undefined) return {};
  const value = JSON.parse(detail) as unknown;
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]: [string, unknown]) =>
      typeof inner === 'string' || typeof inner === 'number' ? [[name, String(inner)]] : [],
    ),
  );
}
