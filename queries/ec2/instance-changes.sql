-- id: ec2/instance-changes
-- title: Calls that start, stop or change instances, in every region
-- severity: low
-- mitre: T1578, T1496, T1529
-- tables: cloudtrail_trail_event
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- parameter: except_tag text = none; instances with this tag, key=value, are taken for granted, as RunInstances and
--   CreateTags have set it
-- parameter: except_account text = none; an account that is taken for granted
-- parameter: except_principal text = none; principals that are taken for granted, as LIKE has patterns
-- parameter: tags_since interval = 90 days; how far back tags are looked for
-- watch: 1 day
-- false positives: Auto scaling, node groups and schedulers: take their principals, or their instances' tag, for
--   granted. These are calls: CloudTrail records who asked for a change, not that an instance has changed its state.
-- next steps: Begin with regions that nobody works in, with large instance types, and with ModifyInstanceAttribute of
--   userData.
-- references: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitor-with-cloudtrail.html
-- references: https://attack.mitre.org/techniques/T1578/
with change as (
  select e.event_time, e.user_identifier, e.user_type, e.event_name, e.source_ip, e.recipient_account_id, e.aws_region,
    e.event_id, e.request_parameters, e.error_code, e.user_agent, e.access_key_id,
    array(
      select distinct i #>> '{}'
      from jsonb_path_query(jsonb_build_array(e.request_parameters, e.response_elements), '$.**.instanceId') as i
      order by 1
    ) as instances,
    jsonb_path_query_array(e.request_parameters, '$.tagSpecificationSet.items[*].tags[*]') as tags
  from cloudtrail_trail_event e
  where e.event_source = 'ec2.amazonaws.com'
    and e.event_name in (
      'CreateFleet', 'ModifyInstanceAttribute', 'ModifyInstanceMetadataOptions', 'RebootInstances',
      'RequestSpotInstances', 'RunInstances', 'StartInstances', 'StopInstances', 'TerminateInstances'
    )
    and e.recipient_account_id is distinct from coalesce(nullif(current_setting('hunt.except_account', true), ''), 'none')
    and coalesce(e.user_identifier, '') not like coalesce(nullif(current_setting('hunt.except_principal', true), ''), 'none')
    and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
    and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
),
-- Instances with the tag, as they were started or tagged afterwards.
granted as (
  select i #>> '{}' as instance
  from cloudtrail_trail_event e
  cross join lateral (
    select coalesce(nullif(current_setting('hunt.except_tag', true), ''), 'none') as tag
  ) as x
  cross join lateral jsonb_path_query(
    jsonb_build_array(e.request_parameters, e.response_elements), '$.** ? (@.type() == "string")'
  ) as i
  where coalesce(nullif(current_setting('hunt.except_tag', true), ''), 'none') <> 'none'
    and e.event_source = 'ec2.amazonaws.com'
    and e.event_name in ('RunInstances', 'CreateTags')
    and e.error_code is null
    and e.event_time >= now()
      - coalesce(nullif(current_setting('hunt.tags_since', true), ''), '90 days')::interval
    and i #>> '{}' like 'i-%'
    and jsonb_path_query_array(e.request_parameters, '$.**.items[*] ? (exists(@.key))')
      || jsonb_path_query_array(e.request_parameters, '$.**.tags[*] ? (exists(@.key))')
      @> jsonb_build_array(
        jsonb_build_object('key', split_part(x.tag, '=', 1), 'value', split_part(x.tag, '=', 2))
      )
)
select
  c.event_time,
  'low' as severity,
  coalesce(c.user_identifier, c.user_type) as principal,
  c.event_name as action,
  nullif(array_to_string(c.instances, ', '), '') as resource,
  c.source_ip,
  c.recipient_account_id as account_id,
  c.aws_region as region,
  c.event_id,
  trailhound.event_url(c.aws_region, c.event_id) as console_url,
  jsonb_build_object(
    'instance_type', c.request_parameters ->> 'instanceType',
    'tags', c.tags,
    'request_parameters', c.request_parameters,
    'user_agent', c.user_agent,
    'error_code', c.error_code,
    'access_key_id', c.access_key_id
  ) as detail
from change c
where not exists (select from granted g where g.instance = any (c.instances))
order by c.event_time desc, c.event_id;
