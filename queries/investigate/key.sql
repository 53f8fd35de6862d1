-- id: investigate/key
-- title: What an access key did, and the keys that were made with it
-- severity: high
-- mitre: T1078.004
-- tables: cloudtrail_trail_event, abuseipdb_check_ip
-- parameter: since interval = 30 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- parameter: access_key_id text required; the key that leaked
-- false positives: The key's own owner is among the rows: tell him from the thief by the addresses and user agents.
-- next steps: Deactivate the key (contain/key prints how), then each key and user that was made with it; look at what
--   was changed by investigate/blast-radius, and where the key came from by who-made-this.
-- references: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html
-- references: https://repost.aws/knowledge-center/potential-account-compromise
with recursive issued as materialized (
  select e.access_key_id as by_key,
    coalesce(e.response_elements #>> '{credentials,accessKeyId}', e.response_elements #>> '{accessKey,accessKeyId}') as key
  from cloudtrail_trail_event e
  where nullif(current_setting('hunt.access_key_id', true), '') is not null
    and e.event_name in (
      'AssumeRole', 'AssumeRoot', 'CreateAccessKey', 'GetFederationToken', 'GetSessionToken'
    )
    and e.error_code is null
    and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '30 days')::interval
    and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
),
-- The key, and those that were made with it, and with those. UNION ends where none is new.
key(key) as (
  select nullif(current_setting('hunt.access_key_id', true), '')
  union
  select i.key from key k join issued i on i.by_key = k.key
),
call as (
  select e.access_key_id, coalesce(e.user_identifier, e.user_type) as principal, e.event_source, e.event_name,
    e.error_code, e.source_ip, e.source_ip_address, e.recipient_account_id, e.aws_region,
    bool_and(e.read_only is true) as read_only,
    count(*) as calls,
    min(e.event_time) as first_seen,
    max(e.event_time) as last_seen,
    (array_agg(e.event_id order by e.event_time desc, e.event_id))[1] as event_id,
    array_agg(distinct e.user_agent) as user_agents
  from cloudtrail_trail_event e
  where nullif(current_setting('hunt.access_key_id', true), '') is not null
    and e.access_key_id in (select k.key from key k)
    and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '30 days')::interval
    and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
  group by 1, 2, 3, 4, 5, 6, 7, 8, 9
)
select
  c.last_seen as event_time,
  case when c.read_only then 'medium' else 'high' end as severity,
  c.principal,
  c.event_name as action,
  c.access_key_id as resource,
  c.source_ip,
  c.recipient_account_id as account_id,
  c.aws_region as region,
  c.event_id,
  trailhound.event_url(c.aws_region, c.event_id) as console_url,
  jsonb_build_object(
    'event_source', c.event_source,
    'source_ip_address', c.source_ip_address,
    'first_seen', c.first_seen,
    'user_agents', c.user_agents,
    'isp', a.isp,
    'usage_type', a.usage_type
  ) as detail,
  c.calls,
  c.error_code,
  a.abuse_confidence_score,
  a.country_code,
  a.is_tor
from call c
left join abuseipdb_check_ip a on a.ip_address = c.source_ip
order by c.first_seen, c.event_id, c.error_code;
