-- id: readiness/no-trail
-- title: Accounts without a trail that records every region
-- severity: critical
-- mitre: T1562.008
-- tables: cloudtrail_trail, guardduty_detector
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- false positives: This is the state at this moment: for a time that is past there are no rows. Accounts are known
--   from their detectors and trails: one that has neither does not appear.
-- next steps: Make an organisation trail of all regions, to a bucket that the account itself may not change.
-- references: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/creating-trail-organization.html
select
  at.event_time,
  'critical' as severity,
  null as principal,
  'no trail records management events of every region' as action,
  a.account_id as resource,
  null::inet as source_ip,
  a.account_id as account_id,
  null as region,
  a.account_id as event_id,
  null as console_url,
  jsonb_build_object(
    'trails', (select jsonb_agg(t.name order by t.name) from cloudtrail_trail t where t.account_id = a.account_id)
  ) as detail
from (
  select distinct d.account_id from guardduty_detector d
  union
  select t.account_id from cloudtrail_trail t
) as a
cross join (select now() as event_time) as at
where not exists (
    select from cloudtrail_trail t
    where t.account_id = a.account_id and t.is_multi_region_trail and t.is_logging and t.management_events
  )
  and at.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and at.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
order by a.account_id;
