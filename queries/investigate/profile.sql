-- id: investigate/profile
-- title: What a principal does, from where, and what of it is new
-- severity: medium
-- mitre: T1078.004
-- tables: cloudtrail_trail_event
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- parameter: principal text required; the ARN or user name, as LIKE has patterns
-- parameter: baseline interval = 30 days; how long before since counts as before
-- false positives: New addresses and new calls are what people have at a new task, too.
-- next steps: Begin at the top: strong calls, new ones first. new_addresses are addresses that the principal was
--   never seen from in the baseline.
-- references: https://docs.aws.amazon.com/detective/latest/userguide/profile-panel-drilldown-activity.html
with seen as materialized (
  select coalesce(e.user_identifier, e.user_type) as principal, e.event_time, e.event_source, e.event_name, e.error_code,
    e.source_ip_address, e.recipient_account_id, e.aws_region, e.event_id, e.user_agent,
    e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval as is_recent,
    e.event_name in (
      'AddUserToGroup', 'AssumeRole', 'AttachGroupPolicy', 'AttachRolePolicy', 'AttachUserPolicy', 'AuthorizeSecurityGroupIngress',
      'CreateAccessKey', 'CreateFunction20150331', 'CreateKeyPair', 'CreateLoginProfile', 'CreatePolicyVersion', 'CreateRole',
      'CreateSnapshot', 'CreateUser', 'DeactivateMFADevice', 'DeleteBucket', 'DeleteDetector', 'DeleteFlowLogs', 'DeleteTrail',
      'DisableKey', 'GetPasswordData', 'GetSecretValue', 'ModifyDBSnapshotAttribute', 'ModifyImageAttribute',
      'ModifySnapshotAttribute', 'PutBucketPolicy', 'PutGroupPolicy', 'PutRolePolicy', 'PutUserPolicy', 'RunInstances',
      'ScheduleKeyDeletion', 'SendCommand', 'SetDefaultPolicyVersion', 'StartSession', 'StopLogging', 'UpdateAccessKey',
      'UpdateAssumeRolePolicy', 'UpdateDetector', 'UpdateLoginProfile', 'UpdateTrail'
    ) as is_strong
  from cloudtrail_trail_event e
  where nullif(current_setting('hunt.principal', true), '') is not null
  and (
    e.user_identifier like nullif(current_setting('hunt.principal', true), '')
    or e.username like nullif(current_setting('hunt.principal', true), '')
    or e.access_key_id like nullif(current_setting('hunt.principal', true), '')
  )
    and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
      - coalesce(nullif(current_setting('hunt.baseline', true), ''), '30 days')::interval
    and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
)
select
  max(s.event_time) as event_time,
  case when s.is_strong then 'high' else 'info' end as severity,
  s.principal,
  s.event_name as action,
  s.event_source as resource,
  null::inet as source_ip,
  s.recipient_account_id as account_id,
  string_agg(distinct s.aws_region, ', ') as region,
  (array_agg(s.event_id order by s.event_time desc, s.event_id))[1] as event_id,
  trailhound.event_url(
    (array_agg(s.aws_region order by s.event_time desc, s.event_id))[1],
    (array_agg(s.event_id order by s.event_time desc, s.event_id))[1]
  ) as console_url,
  jsonb_build_object(
    'errors', jsonb_agg(distinct s.error_code) filter (where s.error_code is not null),
    'user_agents', jsonb_agg(distinct s.user_agent),
    'addresses', jsonb_agg(distinct s.source_ip_address)
  ) as detail,
  min(s.event_time) as first_seen,
  count(*) as calls,
  count(s.error_code) as failed,
  not exists (
    select from seen b
    where not b.is_recent and b.principal = s.principal and b.event_source = s.event_source and b.event_name = s.event_name
  ) as is_new,
  array(
    select distinct r.source_ip_address from seen r
    where r.is_recent and r.principal = s.principal and r.event_name = s.event_name and r.event_source = s.event_source
    except
    select b.source_ip_address from seen b where not b.is_recent and b.principal = s.principal
    order by 1
  ) as new_addresses
from seen s
where s.is_recent
group by s.principal, s.event_source, s.event_name, s.is_strong, s.recipient_account_id
order by s.is_strong desc, is_new desc, max(s.event_time) desc, s.principal, s.event_source, s.event_name;
