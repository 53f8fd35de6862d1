-- id: ssm/resume-session
-- title: Sessions resumed on instances
-- severity: low
-- mitre: T1021.007
-- tables: cloudtrail_trail_event
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- watch: 1 day
-- false positives: Operators who work on instances by Session Manager.
-- next steps: Ask the principal; read the session's log where Session Manager writes one, and what the instance's
--   role did from then on.
-- references: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ResumeSession.html
select
  e.event_time,
  'low' as severity,
  coalesce(e.user_identifier, e.user_type) as principal,
  e.event_name as action,
  e.request_parameters ->> 'sessionId' as resource,
  e.source_ip,
  e.recipient_account_id as account_id,
  e.aws_region as region,
  e.event_id,
  trailhound.event_url(e.aws_region, e.event_id) as console_url,
  jsonb_build_object(
    'session_id', coalesce(e.response_elements ->> 'sessionId', e.request_parameters ->> 'sessionId'),
    'document', e.request_parameters ->> 'documentName',
    'reason', e.request_parameters ->> 'reason',
    'source_ip_address', e.source_ip_address,
    'user_agent', e.user_agent,
    'error_code', e.error_code,
    'access_key_id', e.access_key_id
  ) as detail
from cloudtrail_trail_event e
where e.event_source = 'ssm.amazonaws.com'
  and e.event_name = 'ResumeSession'
  and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
order by e.event_time desc, e.event_id;
