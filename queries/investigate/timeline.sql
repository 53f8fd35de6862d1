-- id: investigate/timeline
-- title: All that a principal, a key or an address did, in order
-- severity: info
-- tables: cloudtrail_trail_event
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- parameter: principal text one of required; the ARN or user name, as LIKE has patterns
-- parameter: access_key_id text one of required; an access key
-- parameter: source_ip_address text one of required; an address, as CloudTrail has it
-- false positives: Everything is shown: this is what happened, not what was wrong.
-- next steps: Read it from the first call that the owner knows nothing of.
-- references: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference.html
select
  e.event_time,
  'info' as severity,
  coalesce(e.user_identifier, e.user_type) as principal,
  e.event_name as action,
  coalesce(e.resources #>> '{0,ARN}', e.request_parameters #>> '{}') as resource,
  e.source_ip,
  e.recipient_account_id as account_id,
  e.aws_region as region,
  e.event_id,
  trailhound.event_url(e.aws_region, e.event_id) as console_url,
  jsonb_build_object(
    'event_source', e.event_source,
    'request_parameters', e.request_parameters,
    'source_ip_address', e.source_ip_address,
    'user_agent', e.user_agent,
    'access_key_id', e.access_key_id
  ) as detail,
  e.error_code
from cloudtrail_trail_event e
where coalesce(
    nullif(current_setting('hunt.principal', true), ''),
    nullif(current_setting('hunt.access_key_id', true), ''),
    nullif(current_setting('hunt.source_ip_address', true), '')
  ) is not null
  and (
    e.user_identifier like nullif(current_setting('hunt.principal', true), '')
    or e.username like nullif(current_setting('hunt.principal', true), '')
    or e.access_key_id = nullif(current_setting('hunt.access_key_id', true), '')
    or e.source_ip_address = nullif(current_setting('hunt.source_ip_address', true), '')
  )
  and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
order by e.event_time, e.event_id;
