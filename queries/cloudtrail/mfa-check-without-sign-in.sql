-- id: cloudtrail/mfa-check-without-sign-in
-- title: Somebody had the password, and stopped at the second factor
-- severity: high
-- mitre: T1078.004, T1621
-- tables: cloudtrail_trail_event
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- watch: 1 day
-- false positives: Users who give up, mistype the code, or let the page expire. While it is watched, those who are about to
--   succeed as well: give --param until='30 minutes'.
-- next steps: The password is known to somebody: have it changed, and look where else the address was seen.
-- references: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
select
  e.event_time,
  'high' as severity,
  coalesce(e.user_identifier, e.username, e.user_type) as principal,
  concat_ws(' ', e.event_name, e.response_elements ->> 'CheckMfa') as action,
  e.username as resource,
  e.source_ip,
  e.recipient_account_id as account_id,
  e.aws_region as region,
  e.event_id,
  trailhound.event_url(e.aws_region, e.event_id) as console_url,
  jsonb_build_object(
    'mfa_type', e.additional_event_data ->> 'MfaType',
    'source_ip_address', e.source_ip_address,
    'user_agent', e.user_agent
  ) as detail
from cloudtrail_trail_event e
where e.event_name = 'CheckMfa'
  and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
  and not exists (
    select from cloudtrail_trail_event s
    where s.event_name = 'ConsoleLogin'
      and s.response_elements ->> 'ConsoleLogin' = 'Success'
      and s.recipient_account_id = e.recipient_account_id
      and s.username is not distinct from e.username
      and s.source_ip_address = e.source_ip_address
      and s.event_time between e.event_time and e.event_time + interval '15 minutes'
      and s.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  )
order by e.event_time desc, e.event_id;
