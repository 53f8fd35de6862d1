-- id: investigate/instance-credentials-elsewhere
-- title: Credentials of an instance's role used from an address that is not its own
-- severity: high
-- mitre: T1552.005, T1078.004
-- tables: cloudtrail_trail_event, abuseipdb_check_ip
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- parameter: baseline interval = 30 days; how long before since counts as before
-- false positives: An instance whose public address changed, and NAT gateways that were added. An instance that was
--   started in this time has its first address taken for its own.
-- next steps: End the role's sessions (contain/role prints how), isolate the instance, and demand IMDSv2.
-- references: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-iam.html
-- references: https://attack.mitre.org/techniques/T1552/005/
with call as materialized (
  select e.user_identifier as principal, substring(e.principal_id from ':(i-[0-9a-f]+)$') as instance, e.source_ip,
    e.source_ip_address, e.event_time, e.event_name, e.event_id, e.recipient_account_id, e.aws_region, e.user_agent,
    e.access_key_id
  from cloudtrail_trail_event e
  where e.user_type = 'AssumedRole'
    and e.principal_id like '%:i-%'
    -- By VPC endpoints an instance calls from its private address, beside its public one.
    and not e.source_ip <<= any (array['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7']::inet[])
    and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
      - coalesce(nullif(current_setting('hunt.baseline', true), ''), '30 days')::interval
    and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
),
own as (
  select distinct on (c.instance) c.instance, c.source_ip
  from call c
  where c.instance is not null
  order by c.instance, c.event_time, c.event_id
),
elsewhere as (
  select c.principal, c.instance, c.source_ip, c.recipient_account_id, c.aws_region,
    count(*) as calls,
    min(c.event_time) as first_seen,
    max(c.event_time) as last_seen,
    array_agg(distinct c.event_name) as actions,
    array_agg(distinct c.user_agent) as user_agents,
    (array_agg(c.event_id order by c.event_time desc, c.event_id))[1] as event_id,
    (array_agg(c.access_key_id order by c.event_time desc, c.event_id))[1] as access_key_id
  from call c
  join own o on o.instance = c.instance and o.source_ip <> c.source_ip
  where c.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
    and not exists (
      select from call b
      where b.instance = c.instance and b.source_ip = c.source_ip
        and b.event_time < now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
    )
  group by 1, 2, 3, 4, 5
)
select
  c.last_seen as event_time,
  'high' as severity,
  c.principal,
  array_to_string(c.actions, ', ') as action,
  c.instance as resource,
  c.source_ip,
  c.recipient_account_id as account_id,
  c.aws_region as region,
  c.event_id,
  trailhound.event_url(c.aws_region, c.event_id) as console_url,
  jsonb_build_object('first_seen', c.first_seen, 'user_agents', c.user_agents, 'access_key_id', c.access_key_id, 'isp', a.isp) as detail,
  c.calls,
  a.abuse_confidence_score,
  a.country_code
from elsewhere c
left join abuseipdb_check_ip a on a.ip_address = c.source_ip
order by c.last_seen desc, c.event_id;
