-- id: cloudtrail/console-sign-in-other-region
-- title: Console sign-ins recorded in another region than they led to
-- severity: low
-- mitre: T1078.004
-- tables: cloudtrail_trail_event
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- watch: 1 day
-- false positives: A link that somebody was sent, and users who sign in at the global endpoint: us-east-1 is then
--   recorded.
-- next steps: Look at what the user did in the region that the sign-in led to, and whether anybody of yours works
--   there.
-- references: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
select
  e.event_time,
  'low' as severity,
  coalesce(e.user_identifier, e.user_type) as principal,
  e.event_name as action,
  e.additional_event_data ->> 'LoginTo' as resource,
  e.source_ip,
  e.recipient_account_id as account_id,
  e.aws_region as region,
  e.event_id,
  trailhound.event_url(e.aws_region, e.event_id) as console_url,
  jsonb_build_object(
    'mfa_used', e.additional_event_data ->> 'MFAUsed',
    'login_to', e.additional_event_data ->> 'LoginTo',
    'user_agent', e.user_agent,
    'user_type', e.user_type
  ) as detail
from cloudtrail_trail_event e
where e.event_name = 'ConsoleLogin'
  and e.response_elements ->> 'ConsoleLogin' = 'Success'
  and coalesce(
    substring(e.additional_event_data ->> 'LoginTo' from '[?&]region=([a-z0-9-]+)'),
    substring(e.additional_event_data ->> 'LoginTo' from '//([a-z]+-[a-z-]+-[0-9]+)[.]')
  ) <> e.aws_region
  and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
order by e.event_time desc, e.event_id;
