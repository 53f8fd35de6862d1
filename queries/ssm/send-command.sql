-- id: ssm/send-command
-- title: Commands sent to instances by Systems Manager
-- severity: low
-- mitre: T1651, T1059
-- tables: cloudtrail_trail_event
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- watch: 1 day
-- false positives: Patching and inventory send commands all day. Name their roles in hunts.known.
-- next steps: CloudTrail hides what was run: read it with "aws ssm list-command-invocations --details" before it
--   expires after 30 days, and look at what the instances did next.
-- references: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html
-- references: https://attack.mitre.org/techniques/T1651/
select
  e.event_time,
  'low' as severity,
  coalesce(e.user_identifier, e.user_type) as principal,
  e.event_name as action,
  coalesce(e.request_parameters ->> 'instanceIds', e.request_parameters ->> 'targets') as resource,
  e.source_ip,
  e.recipient_account_id as account_id,
  e.aws_region as region,
  e.event_id,
  trailhound.event_url(e.aws_region, e.event_id) as console_url,
  jsonb_build_object(
    'document', e.request_parameters ->> 'documentName',
    'command_id', e.response_elements #>> '{command,commandId}',
    'comment', e.request_parameters ->> 'comment',
    'output_bucket', e.request_parameters ->> 'outputS3BucketName',
    'source_ip_address', e.source_ip_address,
    'user_agent', e.user_agent,
    'error_code', e.error_code,
    'access_key_id', e.access_key_id
  ) as detail
from cloudtrail_trail_event e
where e.event_source = 'ssm.amazonaws.com'
  and e.event_name = 'SendCommand'
  and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
order by e.event_time desc, e.event_id;
