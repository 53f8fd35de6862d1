-- id: investigate/blast-radius
-- title: What a principal touched, created and failed at
-- severity: medium
-- mitre: T1078.004, T1098
-- tables: cloudtrail_trail_event
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- parameter: principal text required; the ARN or user name, as LIKE has patterns
-- false positives: Everything that the principal did is shown, what it should do among it.
-- next steps: Begin with what was created and changed: it is what stays after the key is gone. What failed says what
--   was wanted.
-- references: https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
with touched as (
  select e.event_time, coalesce(e.user_identifier, e.user_type) as principal, e.event_name, e.event_source, e.error_code,
    e.recipient_account_id, e.aws_region, e.event_id,
    case
      when e.error_code is not null then 'failed at'
      when e.event_name ~ '^(Create|Run|Put|Attach|Add|Import|Register|Allocate|Copy)' then 'created'
      when e.read_only is true then 'read'
      else 'changed'
    end as effect,
    coalesce(
      t.arn, e.request_parameters ->> 'userName', e.request_parameters ->> 'roleName', e.request_parameters ->> 'groupName',
      e.request_parameters ->> 'policyArn', e.request_parameters ->> 'bucketName', e.request_parameters ->> 'secretId',
      e.request_parameters ->> 'functionName', e.request_parameters ->> 'groupId', e.request_parameters ->> 'instanceId',
      e.request_parameters #>> '{instancesSet,items,0,instanceId}', e.response_elements #>> '{instancesSet,items,0,instanceId}',
      e.request_parameters ->> 'name', e.request_parameters ->> 'keyId'
    ) as resource
  from cloudtrail_trail_event e
  left join lateral (
    select r ->> 'ARN' as arn
    from jsonb_array_elements(case jsonb_typeof(e.resources) when 'array' then e.resources end) as r
  ) as t on true
  where nullif(current_setting('hunt.principal', true), '') is not null
  and (
    e.user_identifier like nullif(current_setting('hunt.principal', true), '')
    or e.username like nullif(current_setting('hunt.principal', true), '')
    or e.access_key_id like nullif(current_setting('hunt.principal', true), '')
  )
  and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
)
select
  max(t.event_time) as event_time,
  case t.effect when 'read' then 'info' when 'failed at' then 'low' when 'changed' then 'medium' else 'high' end as severity,
  t.principal,
  t.effect || ': ' || string_agg(distinct t.event_name, ', ') as action,
  t.resource,
  null::inet as source_ip,
  t.recipient_account_id as account_id,
  t.aws_region as region,
  (array_agg(t.event_id order by t.event_time desc, t.event_id))[1] as event_id,
  trailhound.event_url(t.aws_region, (array_agg(t.event_id order by t.event_time desc, t.event_id))[1]) as console_url,
  jsonb_build_object(
    'event_source', t.event_source,
    'errors', jsonb_agg(distinct t.error_code) filter (where t.error_code is not null)
  ) as detail,
  t.effect,
  count(distinct t.event_id) as calls,
  min(t.event_time) as first_seen
from touched t
group by t.principal, t.effect, t.resource, t.event_source, t.recipient_account_id, t.aws_region
order by array_position(array['created', 'changed', 'failed at', 'read'], t.effect), max(t.event_time) desc,
  t.principal, t.resource, t.event_source, t.aws_region;
