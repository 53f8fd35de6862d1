-- id: cloudtrail/console-sign-in-without-mfa
-- title: Console sign-ins without a second factor
-- severity: medium
-- mitre: T1078.004, T1556.006
-- tables: cloudtrail_trail_event
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- watch: 1 day
-- false positives: Users of whom the account asks none. That is worth mending by itself.
-- next steps: Ask the user; where nobody knows of it, reset the password, end the sessions, and demand MFA by a
--   policy (aws:MultiFactorAuthPresent).
-- references: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
select
  e.event_time,
  'medium' as severity,
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
  and e.additional_event_data ->> 'MFAUsed' = 'No'
  -- Whoever comes by SAML or Identity Center has shown a second factor elsewhere, or not: CloudTrail cannot tell.
  and e.user_type in ('IAMUser', 'Root')
  and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
order by e.event_time desc, e.event_id;
