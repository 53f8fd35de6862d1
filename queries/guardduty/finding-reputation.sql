-- id: guardduty/finding-reputation
-- title: GuardDuty findings with the reputation of their remote address
-- severity: high
-- mitre: T1078.004, T1110, T1496
-- tables: guardduty_finding, abuseipdb_check_ip
-- parameter: since interval = 7 days; how far back to look, by the time of a finding's last update
-- parameter: until interval = 0 days; how long ago to stop
-- parameter: min_severity double precision = 4; GuardDuty's own severity, from 1 to 10, from which a finding is shown
-- watch: 1 day
-- false positives: Penetration tests and scanners of your own. Archived findings and samples are left out.
-- next steps: Open the finding, look at who made the resource and what else the remote address called, and contain the
--   resource before the address's other traces are followed.
-- references: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-active.html
-- references: https://docs.abuseipdb.com/#check-endpoint
select
  f.updated_at as event_time,
  lower(f.severity_label) as severity,
  coalesce(f.user_name, f.db_user, f.access_key_id, f.instance_id) as principal,
  f.type as action,
  coalesce(f.db_instance_identifier, f.instance_id, f.eks_cluster_name, f.bucket_names[1], f.access_key_id)
    as resource,
  f.remote_ip as source_ip,
  f.account_id,
  f.region,
  f.id as event_id,
  f.console_url,
  jsonb_build_object(
    'title', f.title,
    'resource_type', f.resource_type,
    'resource_role', f.resource_role,
    'action_type', f.action_type,
    'first_seen_at', f.first_seen_at,
    'last_seen_at', f.last_seen_at,
    'threat_list_names', f.threat_list_names,
    'remote_country', f.remote_country,
    'remote_asn_org', f.remote_asn_org,
    'usage_type', a.usage_type,
    'total_reports', a.total_reports
  ) as detail,
  f.severity as severity_score,
  f.count,
  a.abuse_confidence_score,
  a.country_code,
  a.is_tor
from guardduty_finding f
left join abuseipdb_check_ip a on a.ip_address = f.remote_ip
where not f.archived
  and f.sample is not true
  and f.updated_at >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and f.updated_at <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
  and f.severity >= coalesce(nullif(current_setting('hunt.min_severity', true), ''), '4')::double precision
order by f.severity desc, f.updated_at desc, f.id;
