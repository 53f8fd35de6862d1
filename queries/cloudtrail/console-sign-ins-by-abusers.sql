-- id: cloudtrail/console-sign-ins-by-abusers
-- title: Console sign-ins from addresses with a reputation for abuse, or from Tor
-- severity: high
-- mitre: T1078.004, T1090.003
-- tables: cloudtrail_trail_event, abuseipdb_check_ip
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- parameter: min_score integer = 25; AbuseIPDB's confidence of abuse, from 0 to 100, from which a sign-in is shown
-- watch: 1 day
-- false positives: Shared VPNs and mobile networks that others have abused.
-- next steps: Where it succeeded: reset the password, end the sessions, and look at what followed by
--   investigate/profile. Where it failed: see how often, and for which users.
-- references: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
-- references: https://docs.abuseipdb.com/#check-endpoint
select
  e.event_time,
  'high' as severity,
  coalesce(e.user_identifier, e.user_type) as principal,
  concat_ws(' ', e.event_name, e.response_elements ->> 'ConsoleLogin') as action,
  e.additional_event_data ->> 'LoginTo' as resource,
  e.source_ip,
  e.recipient_account_id as account_id,
  e.aws_region as region,
  e.event_id,
  trailhound.event_url(e.aws_region, e.event_id) as console_url,
  jsonb_build_object(
    'mfa_used', e.additional_event_data ->> 'MFAUsed',
    'error_message', e.error_message,
    'user_agent', e.user_agent,
    'usage_type', a.usage_type,
    'isp', a.isp,
    'total_reports', a.total_reports
  ) as detail,
  a.abuse_confidence_score,
  a.country_code,
  a.is_tor
from cloudtrail_trail_event e
join abuseipdb_check_ip a on a.ip_address = e.source_ip
where e.event_name = 'ConsoleLogin'
  and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
  and (
    a.is_tor
    or a.abuse_confidence_score >= coalesce(nullif(current_setting('hunt.min_score', true), ''), '25')::integer
  )
order by a.abuse_confidence_score desc, e.event_time desc, e.event_id;
