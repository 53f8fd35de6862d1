-- id: cloudtrail/callers-by-reputation
-- title: Principals that call from addresses with a reputation for abuse, or from Tor
-- severity: high
-- mitre: T1078.004, T1090.003
-- tables: cloudtrail_trail_event, abuseipdb_check_ip
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- parameter: min_score integer = 25; AbuseIPDB's confidence of abuse, from 0 to 100, from which a caller is shown
-- parameter: event_name text = %; only calls like this, e.g. 'Create%'
-- watch: 1 day
-- false positives: Shared VPNs and mobile networks that others have abused; services of others that work for you from
--   their own addresses.
-- next steps: Begin with keys (AKIA…) that call from hosting providers: deactivate the key, then follow it with
--   investigate/key.
-- references: https://docs.abuseipdb.com/#check-endpoint
with caller as (
  select coalesce(e.user_identifier, e.user_type) as principal, e.event_source, e.event_name, e.source_ip,
    e.recipient_account_id, e.aws_region, e.access_key_id,
    count(*) as calls,
    count(*) filter (where e.error_code is not null) as failed,
    min(e.event_time) as first_seen,
    max(e.event_time) as last_seen,
    (array_agg(e.event_id order by e.event_time desc, e.event_id))[1] as event_id
  from cloudtrail_trail_event e
  where e.event_name like coalesce(nullif(current_setting('hunt.event_name', true), ''), '%')
    and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
    and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
  group by 1, 2, 3, 4, 5, 6, 7
)
select
  c.last_seen as event_time,
  'high' as severity,
  c.principal,
  c.event_name as action,
  c.access_key_id as resource,
  c.source_ip,
  c.recipient_account_id as account_id,
  c.aws_region as region,
  c.event_id,
  trailhound.event_url(c.aws_region, c.event_id) as console_url,
  jsonb_build_object(
    'event_source', c.event_source,
    'first_seen', c.first_seen,
    'usage_type', a.usage_type,
    'isp', a.isp,
    'total_reports', a.total_reports
  ) as detail,
  c.calls,
  c.failed,
  a.abuse_confidence_score,
  a.country_code,
  a.is_tor
from caller c
join abuseipdb_check_ip a on a.ip_address = c.source_ip
where a.is_tor
  or a.abuse_confidence_score >= coalesce(nullif(current_setting('hunt.min_score', true), ''), '25')::integer
order by a.abuse_confidence_score desc, c.last_seen desc, c.event_id;
