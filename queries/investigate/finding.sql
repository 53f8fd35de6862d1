-- id: investigate/finding
-- title: From a finding to its resource, who made it, and what its principal did
-- severity: high
-- mitre: T1078.004
-- tables: guardduty_finding, cloudtrail_trail_event
-- parameter: since interval = 30 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- parameter: finding_id text required; the finding's id
-- false positives: See the finding's own type for what it may take for an attack.
-- next steps: Follow the maker by investigate/who-made-this and the principal by investigate/profile; contain/*
--   prints what ends it.
-- references: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-active.html
with finding as materialized (
  select f.* from guardduty_finding f where f.id = nullif(current_setting('hunt.finding_id', true), '')
),
thing as (
  select distinct t.thing, t.kind
  from finding f
  cross join lateral (
    values
      (f.instance_id, 'instance'), (f.access_key_id, 'key'), (f.user_name, 'user'), (f.db_instance_identifier, 'database'),
      (f.bucket_names[1], 'bucket')
  ) as t(thing, kind)
  where t.thing is not null
),
event as (
  select e.event_time, coalesce(e.user_identifier, e.user_type) as principal, e.event_name, e.event_source, e.source_ip,
    e.recipient_account_id, e.aws_region, e.event_id, e.error_code, e.access_key_id, e.username, e.read_only,
    coalesce(
      e.response_elements #>> '{instancesSet,items,0,instanceId}', e.response_elements #>> '{accessKey,accessKeyId}',
      e.response_elements #>> '{user,userName}', e.response_elements ->> 'dBInstanceIdentifier',
      case e.event_name when 'CreateBucket' then e.request_parameters ->> 'bucketName' end
    ) as made
  from cloudtrail_trail_event e
  where nullif(current_setting('hunt.finding_id', true), '') is not null
    and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '30 days')::interval
    and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
)
select f.updated_at as event_time, lower(f.severity_label) as severity, coalesce(f.user_name, f.db_user, f.access_key_id) as principal,
  f.type as action, coalesce(f.instance_id, f.db_instance_identifier, f.bucket_names[1], f.access_key_id) as resource,
  f.remote_ip as source_ip, f.account_id, f.region, f.id as event_id, f.console_url,
  jsonb_build_object('title', f.title, 'description', f.description, 'first_seen_at', f.first_seen_at) as detail,
  'finding' as part, f.count::bigint as calls
from finding f
union all
select e.event_time, 'medium', e.principal, e.event_name, e.made, e.source_ip, e.recipient_account_id, e.aws_region, e.event_id,
  trailhound.event_url(e.aws_region, e.event_id), jsonb_build_object('access_key_id', e.access_key_id), 'made by', 1
from event e
join thing t on t.thing = e.made
where e.event_name ~ '^(Create|Run)' and e.error_code is null
union all
select max(e.event_time), 'info', e.principal, e.event_name, e.event_source, e.source_ip, e.recipient_account_id, e.aws_region,
  (array_agg(e.event_id order by e.event_time desc, e.event_id))[1], null,
  jsonb_build_object('first_seen', min(e.event_time), 'errors', jsonb_agg(distinct e.error_code) filter (where e.error_code is not null)),
  'its calls', count(*)
from event e
where e.access_key_id in (select t.thing from thing t where t.kind = 'key')
  or e.username in (select t.thing from thing t where t.kind = 'user')
group by e.principal, e.event_name, e.event_source, e.source_ip, e.recipient_account_id, e.aws_region
order by part, event_time desc, event_id, action;
