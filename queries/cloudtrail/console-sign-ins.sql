-- id: cloudtrail/console-sign-ins
-- title: Console sign-ins with the reputation of their address
-- severity: medium
-- mitre: T1078.004
-- tables: cloudtrail_trail_event, abuseipdb_check_ip
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- parameter: min_score integer = 0; AbuseIPDB's confidence of abuse, from 0 to 100, from which a sign-in is shown
-- watch: 1 day
-- false positives: Every sign-in is shown unless min_score is raised. Travellers and shared networks change addresses.
-- next steps: Begin with successful sign-ins without MFA from addresses with a high score or from Tor; ask their owners,
--   reset the password and end the user's sessions where they know nothing of it.
-- references: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
-- references: https://docs.abuseipdb.com/#check-endpoint
select
  e.event_time,
  'medium' as severity,
  coalesce(e.user_identifier, e.user_type) as principal,
  concat_ws(' ', e.event_name, e.response_elements ->> 'ConsoleLogin') as action,
  e.additional_event_data ->> 'LoginTo' as resource,
  e.source_ip,
  e.recipient_account_id as account_id,
  e.aws_region as region,
  e.event_id,
  trailhound.event_url(e.aws_region, e.event_id) as console_url,
  jsonb_build_object(
    'error_message', e.error_message,
    'user_agent', e.user_agent,
    'usage_type', a.usage_type,
    'isp', a.isp,
    'total_reports', a.total_reports,
    'last_reported_at', a.last_reported_at
  ) as detail,
  e.additional_event_data ->> 'MFAUsed' as mfa_used,
  a.abuse_confidence_score,
  a.country_code,
  a.is_tor
from cloudtrail_trail_event e
left join abuseipdb_check_ip a on a.ip_address = e.source_ip
where e.event_name = 'ConsoleLogin'
  and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
  and coalesce(a.abuse_confidence_score, 0)
    >= coalesce(nullif(current_setting('hunt.min_score', true), ''), '0')::integer
order by a.abuse_confidence_score desc nulls last, e.event_time desc, e.event_id;
