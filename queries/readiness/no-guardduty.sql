-- id: readiness/no-guardduty
-- title: Regions in which something happens and GuardDuty does not watch
-- severity: high
-- mitre: T1562.001
-- tables: cloudtrail_trail_event, guardduty_detector
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- false positives: Regions that are not among the connection's regions have no detector here, whether they have one
--   or not. Global services are recorded in us-east-1.
-- next steps: Turn GuardDuty on in every region, those that nobody uses first: that is where miners are started.
-- references: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_settingup.html
with active as (
  select e.recipient_account_id, e.aws_region, max(e.event_time) as event_time, count(*) as calls,
    count(*) filter (where e.read_only is not true) as changes,
    (array_agg(e.event_id order by e.event_time desc, e.event_id))[1] as event_id
  from cloudtrail_trail_event e
  where e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
    and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
  group by 1, 2
)
select
  a.event_time,
  'high' as severity,
  null as principal,
  'no enabled GuardDuty detector' as action,
  a.aws_region as resource,
  null::inet as source_ip,
  a.recipient_account_id as account_id,
  a.aws_region as region,
  a.event_id,
  trailhound.event_url(a.aws_region, a.event_id) as console_url,
  jsonb_build_object('calls', a.calls, 'changes', a.changes) as detail
from active a
where not exists (
  select from guardduty_detector d
  where d.status = 'ENABLED' and d.account_id = a.recipient_account_id and d.region = a.aws_region
)
order by a.event_time desc, a.recipient_account_id, a.aws_region;
