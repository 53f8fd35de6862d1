-- id: cloudtrail/create-user-by-abusers
-- title: Users created from addresses with a reputation for abuse
-- severity: high
-- mitre: T1136.003, T1078.004
-- tables: cloudtrail_trail_event, abuseipdb_check_ip
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- parameter: min_score integer = 25; AbuseIPDB's confidence of abuse, from 0 to 100, from which a caller is shown
-- watch: 1 day
-- false positives: An administrator behind a shared VPN, proxy or mobile network that others have abused.
-- next steps: Ask the principal's owner whether they made the user. If not, deactivate the calling key, delete the new
--   user's keys and login profile, and look at everything else that came from the address.
-- references: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html
-- references: https://docs.abuseipdb.com/#check-endpoint
select
  e.event_time,
  'high' as severity,
  coalesce(e.user_identifier, e.user_type) as principal,
  e.event_name as action,
  e.request_parameters ->> 'userName' as resource,
  e.source_ip,
  e.recipient_account_id as account_id,
  e.aws_region as region,
  e.event_id,
  trailhound.event_url(e.aws_region, e.event_id) as console_url,
  jsonb_build_object(
    'error_code', e.error_code,
    'user_agent', e.user_agent,
    'access_key_id', e.access_key_id,
    'usage_type', a.usage_type,
    'isp', a.isp,
    'is_tor', a.is_tor,
    'total_reports', a.total_reports,
    'last_reported_at', a.last_reported_at
  ) as detail,
  a.abuse_confidence_score,
  a.country_code
from cloudtrail_trail_event e
join abuseipdb_check_ip a on a.ip_address = e.source_ip
where e.event_name = 'CreateUser'
  and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
  and a.abuse_confidence_score >= coalesce(nullif(current_setting('hunt.min_score', true), ''), '25')::integer
order by e.event_time desc, e.event_id;
