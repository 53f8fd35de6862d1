-- id: cloudtrail/root-activity
-- title: What the root user did
-- severity: high
-- mitre: T1078.004
-- tables: cloudtrail_trail_event
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- watch: 1 day
-- false positives: Closing accounts, changing the support plan, and the few tasks that only root may do.
-- next steps: Every call as root has to be explained by its owner. If not: change the password, delete its access
--   keys, look at the account's contacts and MFA devices, and call AWS Support.
-- references: https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-tasks.html
select
  e.event_time,
  'high' as severity,
  coalesce(e.user_identifier, e.user_type) as principal,
  e.event_name as action,
  e.additional_event_data ->> 'LoginTo' as resource,
  e.source_ip,
  e.recipient_account_id as account_id,
  e.aws_region as region,
  e.event_id,
  trailhound.event_url(e.aws_region, e.event_id) as console_url,
  jsonb_build_object(
    'mfa_authenticated', e.mfa_authenticated,
    'request_parameters', e.request_parameters,
    'source_ip_address', e.source_ip_address,
    'user_agent', e.user_agent,
    'error_code', e.error_code,
    'access_key_id', e.access_key_id
  ) as detail
from cloudtrail_trail_event e
where e.user_type = 'Root'
  and e.invoked_by is null
  and e.event_type <> 'AwsServiceEvent'
  and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
order by e.event_time desc, e.event_id;
