-- id: ssm/information-discovery
-- title: Principals that look around in Systems Manager
-- severity: low
-- mitre: T1526, T1082
-- tables: cloudtrail_trail_event
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- watch: 1 day
-- false positives: The console, inventories and agents list all the time. Name their roles in hunts.known; people and
--   keys that never did so before are what to look at.
-- next steps: See what the principal did next: SendCommand, StartSession and GetParameter are what looking around is
--   good for.
-- references: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Operations.html
select
  e.event_time,
  'low' as severity,
  coalesce(e.user_identifier, e.user_type) as principal,
  e.event_name as action,
  coalesce(e.request_parameters ->> 'name', e.request_parameters ->> 'instanceId') as resource,
  e.source_ip,
  e.recipient_account_id as account_id,
  e.aws_region as region,
  e.event_id,
  trailhound.event_url(e.aws_region, e.event_id) as console_url,
  jsonb_build_object(
    'request_parameters', e.request_parameters,
    'source_ip_address', e.source_ip_address,
    'user_agent', e.user_agent,
    'error_code', e.error_code,
    'access_key_id', e.access_key_id
  ) as detail
from cloudtrail_trail_event e
where e.event_source = 'ssm.amazonaws.com'
  and e.event_name in (
    'DescribeAssociation', 'DescribeAutomationExecutions', 'DescribeDocument', 'DescribeInstanceInformation',
    'DescribeInstancePatches', 'DescribeInstanceProperties', 'DescribeParameters', 'DescribeSessions',
    'ListAssociations', 'ListCommandInvocations', 'ListCommands', 'ListDocuments', 'ListInventoryEntries', 'ListNodes'
  )
  and e.user_type is distinct from 'AWSService'
  and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
order by e.event_time desc, e.event_id;
