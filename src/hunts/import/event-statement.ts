import type { Severity } from '../hunt.ts';
import type { CallTable } from './call-table.ts';
import { literal } from './sql-literal.ts';

/** A member of `detail`: its name, and what it is in SQL. */
export type DetailMember = readonly [name: string, sql: string];

export interface StatementParts {
  readonly severity: Severity;
  /** Over a row `e` of calls, or `f` of findings. */
  readonly condition: string;
  readonly detail: readonly DetailMember[];
  /** An item of FROM beside the rows. */
  readonly from?: string;
}

/** A hunt over calls: every hunt's first columns, for the events that the condition is true of. */
export function eventStatement(table: CallTable, { severity, condition, detail, from }: StatementParts): string {
  return `select
  ${eventColumns(severity, detail)}
from ${[`${table} e`, ...(from === undefined ? [] : [from])].join('\ncross join ')}
where ${bracketed(condition)}
  and e.event_time >= ${SINCE}
  and e.event_time <= ${UNTIL}
order by e.event_time desc, e.event_id;`;
}

/** Every hunt's first columns, of an event `e`. */
export function eventColumns(severity: Severity, detail: readonly DetailMember[]): string {
  return `e.event_time,
  '${severity}' as severity,
  coalesce(e.user_identifier, e.user_type) as principal,
  e.event_name as action,
  coalesce(
    e.resources #>> '{0,ARN}', e.request_parameters ->> 'userName', e.request_parameters ->> 'roleName',
    e.request_parameters ->> 'bucketName', e.request_parameters ->> 'groupId', e.request_parameters ->> 'instanceId'
  ) as resource,
  e.source_ip,
  e.recipient_account_id as account_id,
  e.aws_region as region,
  e.event_id,
  trailhound.event_url(e.aws_region, e.event_id) as console_url,
  jsonb_build_object(
${detailMembers(detail)}    'event_source', e.event_source,
    'request_parameters', e.request_parameters,
    'source_ip_address', e.source_ip_address,
    'user_agent', e.user_agent,
    'error_code', e.error_code,
    'access_key_id', e.access_key_id
  ) as detail`;
}

/** Those that come before a hunt's own. */
export function detailMembers(detail: readonly DetailMember[]): string {
  return detail.map(([name, sql]) => `    ${literal(name)}, ${sql.replaceAll('\n', '\n    ')},\n`).join('');
}

/** The times that every hunt has as parameters. */
export const SINCE = `now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval`;
export const UNTIL = `now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval`;

/** A condition in brackets, a line of its own where it has several. */
export function bracketed(condition: string): string {
  return condition.includes('\n') ? `(\n    ${condition.replaceAll('\n', '\n    ')}\n  )` : `(${condition})`;
}
