-- id: investigate/who-made-this
-- title: Back from an instance, a key, a user or a role to who was first
-- severity: medium
-- mitre: T1136.003, T1098.001
-- tables: cloudtrail_trail_event
-- parameter: since interval = 90 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- parameter: resource text required; an instance's id, an access key, the name of a user or a role
-- parameter: known text[] = {}; principals, addresses and accounts at which the way back ends, as LIKE has patterns, e.g.
--   {arn:aws:iam::%:role/ci-%}; hunts.known where it is not given
-- false positives: What was made before since has no maker here: go further back.
-- next steps: The last row is the first principal: look at it by investigate/profile, and at everything that was made
--   on the way by investigate/blast-radius.
-- references: https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
with recursive made as materialized (
  select t.thing, e.event_time, e.event_name, coalesce(e.user_identifier, e.user_type) as principal, e.source_ip,
    e.recipient_account_id, e.aws_region, e.event_id, e.access_key_id, e.username, e.session_issuer_name, e.source_ip_address
  from cloudtrail_trail_event e
  cross join lateral (
    values
      (e.response_elements #>> '{user,userName}'),
      (e.response_elements #>> '{accessKey,accessKeyId}'),
      (e.response_elements #>> '{loginProfile,userName}'),
      (e.response_elements #>> '{role,roleName}'),
      (e.response_elements #>> '{credentials,accessKeyId}')
    union all
    select i ->> 'instanceId'
    from jsonb_array_elements(case e.event_name when 'RunInstances' then e.response_elements #> '{instancesSet,items}' end) as i
  ) as t(thing)
  where nullif(current_setting('hunt.resource', true), '') is not null
    and e.event_name in (
      'AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity', 'CreateAccessKey', 'CreateLoginProfile', 'CreateRole',
      'CreateUser', 'GetFederationToken', 'GetSessionToken', 'RunInstances'
    )
    and e.error_code is null
    and t.thing is not null
    and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '90 days')::interval
    and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
),
-- From each thing to the call that made it, and on to what made that call: the key, the user, the role. A thing that has
-- been seen is not followed again, so that two users who made keys for each other come to an end.
way(thing, event_id) as (
  select m.thing, m.event_id from made m where m.thing = nullif(current_setting('hunt.resource', true), '')
  union
  select m.thing, m.event_id
  from way w
  join made by on by.event_id = w.event_id
  join made m on m.thing in (by.access_key_id, by.username, by.session_issuer_name)
  where not exists (
      select
      from unnest(coalesce(nullif(current_setting('hunt.known', true), ''), '{}')::text[]) as known(pattern)
      where by.principal like known.pattern
        or by.source_ip_address like known.pattern
        or by.recipient_account_id like known.pattern
    )
    and m.event_time <= by.event_time
)
select
  m.event_time,
  'medium' as severity,
  m.principal,
  m.event_name as action,
  m.thing as resource,
  m.source_ip,
  m.recipient_account_id as account_id,
  m.aws_region as region,
  m.event_id,
  trailhound.event_url(m.aws_region, m.event_id) as console_url,
  jsonb_build_object(
    'access_key_id', m.access_key_id,
    'session_issuer_name', m.session_issuer_name,
    'source_ip_address', m.source_ip_address
  ) as detail
from way w
join made m on m.thing = w.thing and m.event_id = w.event_id
order by m.event_time desc, m.event_id, m.thing;
