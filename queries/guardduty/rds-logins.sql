-- id: guardduty/rds-logins
-- title: Suspicious sign-ins to databases
-- severity: high
-- mitre: T1110, T1078.004, T1090.003
-- tables: guardduty_finding
-- parameter: since interval = 7 days; how far back to look, by the time of a finding's last update
-- parameter: until interval = 0 days; how long ago to stop
-- watch: 1 day
-- false positives: New applications, and people who work from new networks. Discovery is a connection that did not
--   authenticate.
-- next steps: Where a sign-in succeeded, change the database user's password, end its sessions, and read the
--   database's own log for what it did; close the database's security group to the address.
-- references: https://docs.aws.amazon.com/guardduty/latest/ug/findings-rds-protection.html
select
  f.updated_at as event_time,
  lower(f.severity_label) as severity,
  f.db_user as principal,
  f.type as action,
  coalesce(f.db_instance_identifier, f.db_cluster_identifier) as resource,
  f.remote_ip as source_ip,
  f.account_id,
  f.region,
  f.id as event_id,
  f.console_url,
  jsonb_build_object(
    'title', f.title,
    'engine', f.db_engine,
    'engine_version', f.db_engine_version,
    'cluster', f.db_cluster_identifier,
    'remote_country', f.remote_country,
    'remote_asn_org', f.remote_asn_org,
    'threat_list_names', f.threat_list_names,
    'first_seen_at', f.first_seen_at,
    'last_seen_at', f.last_seen_at,
    'archived', f.archived
  ) as detail,
  f.severity as severity_score,
  f.count,
  f.db_name,
  f.db_user,
  f.db_application,
  f.db_ssl,
  f.db_auth_method
from guardduty_finding f
where f.type in (
    'CredentialAccess:RDS/AnomalousBehavior.FailedLogin',
    'CredentialAccess:RDS/AnomalousBehavior.SuccessfulBruteForce',
    'CredentialAccess:RDS/AnomalousBehavior.SuccessfulLogin',
    'CredentialAccess:RDS/MaliciousIPCaller.FailedLogin',
    'CredentialAccess:RDS/MaliciousIPCaller.SuccessfulLogin',
    'CredentialAccess:RDS/TorIPCaller.FailedLogin',
    'CredentialAccess:RDS/TorIPCaller.SuccessfulLogin',
    'Discovery:RDS/MaliciousIPCaller',
    'Discovery:RDS/TorIPCaller'
  )
  and f.sample is not true
  and f.updated_at >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and f.updated_at <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
order by f.severity desc, f.updated_at desc, f.id;
