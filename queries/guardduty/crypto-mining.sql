-- id: guardduty/crypto-mining
-- title: Resources that mine, or talk to those who do
-- severity: high
-- mitre: T1496
-- tables: guardduty_finding
-- parameter: since interval = 7 days; how far back to look, by the time of a finding's last update
-- parameter: until interval = 0 days; how long ago to stop
-- watch: 1 day
-- false positives: Nodes of a blockchain that you run on purpose.
-- next steps: Isolate the resource, keep an image of it, and ask investigate/who-made-this who started it: often an
--   access key that has leaked.
-- references: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-ec2.html
select
  f.updated_at as event_time,
  lower(f.severity_label) as severity,
  coalesce(f.user_name, f.access_key_id) as principal,
  f.type as action,
  coalesce(f.instance_id, f.eks_cluster_name, f.resource_type) as resource,
  f.remote_ip as source_ip,
  f.account_id,
  f.region,
  f.id as event_id,
  f.console_url,
  jsonb_build_object(
    'title', f.title,
    'resource_type', f.resource_type,
    'remote_ips', f.remote_ips,
    'threat_names', f.threat_names,
    'first_seen_at', f.first_seen_at,
    'last_seen_at', f.last_seen_at,
    'archived', f.archived
  ) as detail,
  f.severity as severity_score,
  f.count
from guardduty_finding f
where (f.type like 'CryptoCurrency:%' or f.type like 'Impact:%/BitcoinDomainRequest%')
  and f.sample is not true
  and f.updated_at >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and f.updated_at <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
order by f.severity desc, f.updated_at desc, f.id;
