-- id: readiness/trail-not-delivering
-- title: Trails that record nothing, or stopped delivering
-- severity: critical
-- mitre: T1562.008
-- tables: cloudtrail_trail
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- false positives: This is the state at this moment: for a time that is past there are no rows. A trail of a region
--   where nothing happens delivers nothing.
-- next steps: Who stopped it, and when, is in CloudTrail as StopLogging, UpdateTrail or PutEventSelectors, if another
--   trail recorded it. Start it again, and mend the bucket's policy where delivery fails.
-- references: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-turning-off-logging.html
select
  at.event_time,
  'critical' as severity,
  null as principal,
  case
    when t.is_logging is not true then 'the trail is stopped'
    when t.latest_delivery_time is null then 'it has never delivered anything'
    when t.latest_delivery_error is not null then 'its delivery fails: ' || t.latest_delivery_error
    -- Not for how long: that would be another text, and told again, each hour.
    else 'it has delivered nothing for more than a day'
  end as action,
  t.name as resource,
  null::inet as source_ip,
  t.account_id as account_id,
  t.home_region as region,
  t.arn as event_id,
  null as console_url,
  jsonb_build_object(
    'latest_delivery_time', t.latest_delivery_time,
    'delivered_nothing_for', justify_interval(date_trunc('hour', now() - t.latest_delivery_time)),
    's3_bucket', t.s3_bucket
  ) as detail
from cloudtrail_trail t
cross join (select now() as event_time) as at
where (
    t.is_logging is not true
    or t.latest_delivery_error is not null
    or t.latest_delivery_time is null
    or t.latest_delivery_time < now() - interval '1 day'
  )
  and at.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and at.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
order by t.account_id, t.arn;
