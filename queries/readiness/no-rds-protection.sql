-- id: readiness/no-rds-protection
-- title: Detectors that do not watch sign-ins to databases
-- severity: medium
-- mitre: T1562.008
-- tables: guardduty_detector
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- false positives: This is the state at this moment: for a time that is past there are no rows. Regions without
--   Aurora or RDS databases need none, until somebody makes one there.
-- next steps: aws guardduty update-detector --features Name=RDS_LOGIN_EVENTS,Status=ENABLED; for an organisation in
--   its configuration.
-- references: https://docs.aws.amazon.com/guardduty/latest/ug/rds-protection.html
select
  at.event_time,
  'medium' as severity,
  null as principal,
  'RDS protection is off' as action,
  d.detector_id as resource,
  null::inet as source_ip,
  d.account_id as account_id,
  d.region as region,
  d.arn as event_id,
  null as console_url,
  jsonb_build_object('features', d.features) as detail
from guardduty_detector d
cross join (select now() as event_time) as at
where d.status = 'ENABLED'
  and not d.features @> '[{"name": "RDS_LOGIN_EVENTS", "status": "ENABLED"}]'
  and at.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and at.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
order by d.account_id, d.region;
