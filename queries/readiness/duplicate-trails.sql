-- id: readiness/duplicate-trails
-- title: Accounts that pay for the same management events more than once
-- severity: low
-- mitre: T1562.008
-- tables: cloudtrail_trail
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- false positives: This is the state at this moment: for a time that is past there are no rows. A second copy for
--   other eyes may be meant so.
-- next steps: The first copy is free, each other one is charged by the event: take management events out of all
--   trails but one.
-- references: https://aws.amazon.com/cloudtrail/pricing/
select
  at.event_time,
  'low' as severity,
  null as principal,
  a.count || ' trails record the management events of every region' as action,
  a.account_id as resource,
  null::inet as source_ip,
  a.account_id as account_id,
  null as region,
  a.account_id as event_id,
  null as console_url,
  jsonb_build_object('trails', a.trails) as detail
from (
  select t.account_id, count(*) as count, jsonb_agg(t.name order by t.name) as trails
  from cloudtrail_trail t
  where t.is_multi_region_trail and t.is_logging and t.management_events
  group by t.account_id
) as a
cross join (select now() as event_time) as at
where a.count > 1
  and at.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and at.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
order by a.account_id;
