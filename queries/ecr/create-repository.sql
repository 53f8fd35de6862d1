-- id: ecr/create-repository
-- title: Repositories made in ECR
-- severity: low
-- mitre: T1525
-- tables: cloudtrail_trail_event
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- watch: 1 day
-- false positives: Pipelines make repositories for new services. Name their roles in hunts.known.
-- next steps: Ask the principal what the repository is for; look at what is pushed to it, by ecr/put-image, and at
--   its policy, by ecr/set-repository-policy.
-- references: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
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
    'scan_on_push', e.request_parameters #>> '{imageScanningConfiguration,scanOnPush}',
    'tag_mutability', e.request_parameters ->> 'imageTagMutability',
    'encryption', e.request_parameters #>> '{encryptionConfiguration,encryptionType}',
    'source_ip_address', e.source_ip_address,
    'user_agent', e.user_agent,
    'error_code', e.error_code,
    'access_key_id', e.access_key_id
  ) as detail
from cloudtrail_trail_event e
where e.event_source in ('ecr.amazonaws.com', 'ecr-public.amazonaws.com')
  and e.event_name = 'CreateRepository'
  and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
order by e.event_time desc, e.event_id;
