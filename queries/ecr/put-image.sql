-- id: ecr/put-image
-- title: Images pushed to ECR
-- severity: low
-- mitre: T1525
-- tables: cloudtrail_trail_event
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- watch: 1 day
-- false positives: Every deployment pushes images. Name the pipelines' roles in hunts.known; what is left are people.
-- next steps: Compare the digest with what the pipeline built. An image that nobody built is to be isolated before it
--   is pulled; look for tags that were moved to it.
-- references: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImage.html
select
  e.event_time,
  'low' as severity,
  coalesce(e.user_identifier, e.user_type) as principal,
  e.event_name as action,
  e.request_parameters ->> 'repositoryName' || coalesce(':' || (e.request_parameters ->> 'imageTag'), '') as resource,
  e.source_ip,
  e.recipient_account_id as account_id,
  e.aws_region as region,
  e.event_id,
  trailhound.event_url(e.aws_region, e.event_id) as console_url,
  jsonb_build_object(
    'image_digest', e.response_elements #>> '{image,imageId,imageDigest}',
    'registry_id', e.request_parameters ->> 'registryId',
    'source_ip_address', e.source_ip_address,
    'user_agent', e.user_agent,
    'error_code', e.error_code,
    'access_key_id', e.access_key_id
  ) as detail
from cloudtrail_trail_event e
where e.event_source in ('ecr.amazonaws.com', 'ecr-public.amazonaws.com')
  and e.event_name = 'PutImage'
  and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
order by e.event_time desc, e.event_id;
