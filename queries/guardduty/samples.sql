-- id: guardduty/samples
-- title: Sample findings, made to see how findings look
-- severity: info
-- tables: guardduty_finding
-- parameter: since interval = 7 days; how far back to look, by the time of a finding's last update
-- parameter: until interval = 0 days; how long ago to stop
-- watch: 1 day
-- false positives: All of them: nothing happened. They are here so that nobody takes one for a finding, nor a finding
--   for one of them.
-- next steps: Archive them. Who made them is in CloudTrail as CreateSampleFindings; somebody may hide a finding among
--   them.
-- references: https://docs.aws.amazon.com/guardduty/latest/ug/sample_findings.html
select
  f.updated_at as event_time,
  'info' as severity,
  coalesce(f.user_name, f.access_key_id, f.instance_id) as principal,
  f.type as action,
  f.resource_type as resource,
  f.remote_ip as source_ip,
  f.account_id,
  f.region,
  f.id as event_id,
  f.console_url,
  jsonb_build_object(
    'title', f.title,
    'resource_type', f.resource_type,
    'first_seen_at', f.first_seen_at,
    'last_seen_at', f.last_seen_at,
    'archived', f.archived
  ) as detail,
  f.severity as severity_score,
  f.count
from guardduty_finding f
where f.sample
  and f.updated_at >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and f.updated_at <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
order by f.severity desc, f.updated_at desc, f.id;
