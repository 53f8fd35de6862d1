-- id: ecr/image-scan-high
-- title: Images whose scan has findings of severity HIGH
-- severity: high
-- mitre: T1525
-- tables: cloudtrail_trail_event
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- watch: 1 day
-- false positives: CloudTrail has the result of a scan only when somebody asks for it: an image appears once for each
--   time that it is asked for, and one that nobody asks for does not appear.
-- next steps: Find what runs the image by its digest, rebuild it on a patched base, and turn scanning on push on.
-- references: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImageScanFindings.html
select
  e.event_time,
  'high' as severity,
  coalesce(e.user_identifier, e.user_type) as principal,
  e.event_name as action,
  e.request_parameters ->> 'repositoryName' as resource,
  e.source_ip,
  e.recipient_account_id as account_id,
  e.aws_region as region,
  e.event_id,
  trailhound.event_url(e.aws_region, e.event_id) as console_url,
  jsonb_build_object(
    'findings', (e.response_elements #>> '{imageScanFindings,findingSeverityCounts,HIGH}')::integer,
    'all_findings', e.response_elements #> '{imageScanFindings,findingSeverityCounts}',
    'image_digest', e.request_parameters #>> '{imageId,imageDigest}',
    'image_tag', e.request_parameters #>> '{imageId,imageTag}',
    'completed_at', e.response_elements #>> '{imageScanFindings,imageScanCompletedAt}',
    'source_ip_address', e.source_ip_address,
    'user_agent', e.user_agent,
    'error_code', e.error_code,
    'access_key_id', e.access_key_id
  ) as detail
from cloudtrail_trail_event e
where e.event_source = 'ecr.amazonaws.com'
  and e.event_name = 'DescribeImageScanFindings'
  and (e.response_elements #>> '{imageScanFindings,findingSeverityCounts,HIGH}')::integer > 0
  and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
order by e.event_time desc, e.event_id;
