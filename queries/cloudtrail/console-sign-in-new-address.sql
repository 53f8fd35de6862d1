-- id: cloudtrail/console-sign-in-new-address
-- title: Console sign-ins from addresses that the user never came from before
-- severity: medium
-- mitre: T1078.004
-- tables: cloudtrail_trail_event
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- parameter: baseline interval = 30 days; how long before since counts as before
-- false positives: Travel, a new office, mobile networks. A user whose first sign-in is in this time appears as well.
-- next steps: Compare the network and the time with where the user is; look at what was done in the session by
--   investigate/profile.
-- references: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
with sign_in as (
  select e.event_time, e.user_identifier, e.user_type, e.source_ip, e.source_ip_address, e.recipient_account_id,
    e.aws_region, e.event_id, e.user_agent, e.additional_event_data
  from cloudtrail_trail_event e
  where e.event_name = 'ConsoleLogin'
    and e.response_elements ->> 'ConsoleLogin' = 'Success'
    and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
      - coalesce(nullif(current_setting('hunt.baseline', true), ''), '30 days')::interval
    and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
)
select
  e.event_time,
  'medium' as severity,
  coalesce(e.user_identifier, e.user_type) as principal,
  'ConsoleLogin' as action,
  e.additional_event_data ->> 'LoginTo' as resource,
  e.source_ip,
  e.recipient_account_id as account_id,
  e.aws_region as region,
  e.event_id,
  trailhound.event_url(e.aws_region, e.event_id) as console_url,
  jsonb_build_object(
    'mfa_used', e.additional_event_data ->> 'MFAUsed',
    'user_agent', e.user_agent,
    'known_addresses', (
      select count(distinct p.source_ip_address) from sign_in p
      where p.user_identifier = e.user_identifier and p.event_time < e.event_time
    )
  ) as detail
from sign_in e
where e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and not exists (
    select from sign_in p
    where p.user_identifier = e.user_identifier
      and p.source_ip_address = e.source_ip_address
      and p.event_time < e.event_time
  )
order by e.event_time desc, e.event_id;
