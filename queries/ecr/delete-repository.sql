-- id: ecr/delete-repository
-- title: Repositories deleted from ECR
-- severity: low
-- mitre: T1485
-- tables: cloudtrail_trail_event
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- watch: 1 day
-- false positives: Retired services, and short-lived repositories of tests.
-- next steps: Where force is true, images were deleted with it: find out which services still pull them, and look at
--   what else the principal deleted.
-- references: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeleteRepository.html
select
  e.event_time,
  'low' as severity,
  coalesce(e.user_identifier, e.user_type) as principal,
  e.event_name as action,
  e.request_parameters ->> 'repositoryName' as resource,
  e.source_ip,
  e.recipient_account_id as account_id,
  e.aws_region as region,
  e.event_id,
  trailhound.event_url(e.aws_region, e.event_id) as console_url,
  jsonb_build_object(
    'force', e.request_parameters ->> 'force',
    'source_ip_address', e.source_ip_address,
    'user_agent', e.user_agent,
    'error_code', e.error_code,
    'access_key_id', e.access_key_id
  ) as detail
from cloudtrail_trail_event e
where e.event_source in ('ecr.amazonaws.com', 'ecr-public.amazonaws.com')
  and e.event_name = 'DeleteRepository'
  and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
order by e.event_time desc, e.event_id;
