import { bracketed, detailMembers, SINCE, UNTIL, type StatementParts } from './event-statement.ts';

/** A hunt over GuardDuty's findings: every hunt's first columns, for those that the condition is true of. */
export function findingStatement({ severity, condition, detail, from }: StatementParts): string {
  return `select
  f.updated_at as event_time,
  '${severity}' as severity,
  coalesce(f.user_name, f.access_key_id, f.instance_id) as principal,
  f.type as action,
  coalesce(f.instance_id, f.access_key_id, f.db_instance_identifier, f.eks_cluster_name, f.resource_type) as resource,
  f.remote_ip as source_ip,
  f.account_id,
  f.region,
  f.id as event_id,
  f.console_url,
  jsonb_build_object(
${detailMembers(detail)}    'title', f.title,
    'resource_type', f.resource_type,
    'first_seen_at', f.first_seen_at,
    'last_seen_at', f.last_seen_at,
    'archived', f.archived,
    'sample', f.sample
  ) as detail,
  f.severity as severity_score,
  f.count
from ${['guardduty_finding f', ...(from === undefined ? [] : [from])].join('\ncross join ')}
where ${bracketed(condition)}
  and f.updated_at >= ${SINCE}
  and f.updated_at <= ${UNTIL}
order by f.severity desc, f.updated_at desc, f.id;`;
}
