import type { Hunt } from '../hunt.ts';
import type { Notification, ToldRow } from './notification.ts';

/** The body of a request to `webhook:URL`: see docs/watch-hunts.md. */
export function webhookMessage(notification: Notification): object {
  const hunt = notification.hunt === undefined ? null : describe(notification.hunt);
  switch (notification.kind) {
    case 'rows':
      return {
        kind: 'rows',
        hunt,
        total: notification.total,
        by_severity: Object.fromEntries(notification.bySeverity),
        rows: notification.rows.map(withDetail),
      };
    case 'failed': {
      const { sqlstate, message, detail = null, hint = null } = notification;
      return { kind: 'failed', hunt, sqlstate, message, detail, hint };
    }
    case 'recovered':
      return { kind: 'recovered', hunt, failed_since: notification.failedSince ?? null };
  }
}

function describe({ id, title, severity, mitre }: Hunt): object {
  return { id, title, severity, mitre };
}

/** `detail` is JSON already. */
function withDetail(row: ToldRow): object {
  const { detail } = row;
  return detail === null || detail === undefined ? row : { ...row, detail: JSON.parse(detail) as unknown };
}
