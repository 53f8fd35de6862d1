-- id: ssm/association
-- title: Associations made or deleted in Systems Manager
-- severity: low
-- mitre: T1651, T1053
-- tables: cloudtrail_trail_event
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- watch: 1 day
-- false positives: Quick Setup, State Manager and infrastructure as code make associations.
-- next steps: An association runs its document again and again: read the document and its targets, and delete an
--   association that nobody knows.
-- references: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateAssociation.html
-- references: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteAssociation.html
select
  e.event_time,
  'low' as severity,
  coalesce(e.user_identifier, e.user_type) as principal,
  e.event_name as action,
  coalesce(e.request_parameters ->> 'name', e.request_parameters ->> 'associationId') as resource,
  e.source_ip,
  e.recipient_account_id as account_id,
  e.aws_region as region,
  e.event_id,
  trailhound.event_url(e.aws_region, e.event_id) as console_url,
  jsonb_build_object(
    'association_id', coalesce(
      e.response_elements #>> '{associationDescription,associationId}',
      e.request_parameters ->> 'associationId'
    ),
    'targets', e.request_parameters -> 'targets',
    'schedule', e.request_parameters ->> 'scheduleExpression',
    'source_ip_address', e.source_ip_address,
    'user_agent', e.user_agent,
    'error_code', e.error_code,
    'access_key_id', e.access_key_id
  ) as detail
from cloudtrail_trail_event e
where e.event_source = 'ssm.amazonaws.com'
  and e.event_name in ('CreateAssociation', 'CreateAssociationBatch', 'DeleteAssociation')
  and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
order by e.event_time desc, e.event_id;
