-- id: readiness/log-file-validation-off
-- title: Trails whose files may be changed unseen
-- severity: medium
-- mitre: T1562.008
-- tables: cloudtrail_trail
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- false positives: This is the state at this moment: for a time that is past there are no rows.
-- next steps: Turn it on: aws cloudtrail update-trail --enable-log-file-validation. Files that were delivered before
--   stay without digests.
-- references: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html
select
  at.event_time,
  'medium' as severity,
  null as principal,
  'log file validation is off' as action,
  t.name as resource,
  null::inet as source_ip,
  t.account_id as account_id,
  t.home_region as region,
  t.arn as event_id,
  null as console_url,
  jsonb_build_object('s3_bucket', t.s3_bucket) as detail
from cloudtrail_trail t
cross join (select now() as event_time) as at
where t.log_file_validation_enabled is not true
  and at.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and at.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
order by t.account_id, t.arn;
