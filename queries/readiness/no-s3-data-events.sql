-- id: readiness/no-s3-data-events
-- title: Accounts in which nobody records who read an object
-- severity: medium
-- mitre: T1562.008
-- tables: cloudtrail_trail
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- false positives: This is the state at this moment: for a time that is past there are no rows.
-- next steps: Record at least writes and reads of buckets with secrets, backups and personal data, by advanced event
--   selectors; it costs by the event.
-- references: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
select
  at.event_time,
  'medium' as severity,
  null as principal,
  'no trail records S3 object events' as action,
  a.account_id as resource,
  null::inet as source_ip,
  a.account_id as account_id,
  null as region,
  a.account_id as event_id,
  null as console_url,
  jsonb_build_object('trails', a.trails) as detail
from (
  select t.account_id, jsonb_agg(t.name order by t.name) as trails, coalesce(bool_or(t.s3_data_events and t.is_logging), false) as recorded
  from cloudtrail_trail t
  group by t.account_id
) as a
cross join (select now() as event_time) as at
where not a.recorded
  and at.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and at.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
order by a.account_id;
