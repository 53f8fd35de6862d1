import type { Severity } from '../hunt.ts';

/** A hunt over the events of the trails: every hunt's first columns, for the events that a condition over `e` is true of. */
export function eventStatement(severity: Severity, condition: string): string {
  return `select
  e.event_time,
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
    'event_source', e.event_source,
    'request_parameters', e.request_parameters,
    'source_ip_address', e.source_ip_address,
    'user_agent', e.user_agent,
    'error_code', e.error_code,
    'access_key_id', e.access_key_id
  ) as detail
from cloudtrail_trail_event e
where ${indented(condition)}
  and ${SINCE_AND_UNTIL}
order by e.event_time desc, e.event_id;`;
}

/** The times that every hunt has as parameters. */
const SINCE_AND_UNTIL = `e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval`;

/** A text as SQL reads it, whatever standard_conforming_strings says. */
export function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return text.includes('\\') ? `E${quoted}` : quoted;
}

function indented(condition: string): string {
  return condition.includes('\n') ? `(\n    ${condition.replaceAll('\n', '\n    ')}\n  )` : `(${condition})`;
}
