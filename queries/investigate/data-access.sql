-- id: investigate/data-access
-- title: Objects in S3 that a principal read, wrote or deleted
-- severity: medium
-- mitre: T1530, T1485
-- tables: cloudtrail_trail_event, cloudtrail_trail
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- parameter: principal text required; the ARN or user name, as LIKE has patterns
-- parameter: bucket text = %; only buckets like this
-- false positives: Applications read their own buckets all day.
-- next steps: Where a row says that nothing is recorded, its absence proves nothing: look at S3's server access logs,
--   and turn object events on for the time that comes.
-- references: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
select
  max(e.event_time) as event_time,
  case when e.event_name ~ '^(Get|Head|List)' then 'medium' else 'high' end as severity,
  coalesce(e.user_identifier, e.user_type) as principal,
  e.event_name as action,
  e.request_parameters ->> 'bucketName' as resource,
  e.source_ip,
  e.recipient_account_id as account_id,
  e.aws_region as region,
  (array_agg(e.event_id order by e.event_time desc, e.event_id))[1] as event_id,
  null as console_url,
  jsonb_build_object(
    'first_seen', min(e.event_time),
    'some_objects', (array_agg(distinct e.request_parameters ->> 'key'))[1:20],
    'bytes_out', sum((e.additional_event_data ->> 'bytesTransferredOut')::numeric),
    'errors', jsonb_agg(distinct e.error_code) filter (where e.error_code is not null)
  ) as detail,
  count(*) as calls,
  count(e.error_code) as failed
from cloudtrail_trail_event e
where nullif(current_setting('hunt.principal', true), '') is not null
  and e.event_source = 's3.amazonaws.com'
  and e.event_category = 'Data'
  and e.request_parameters ->> 'bucketName' like coalesce(nullif(current_setting('hunt.bucket', true), ''), '%')
  and (
    e.user_identifier like nullif(current_setting('hunt.principal', true), '')
    or e.username like nullif(current_setting('hunt.principal', true), '')
    or e.access_key_id like nullif(current_setting('hunt.principal', true), '')
  )
  and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
group by 2, 3, 4, 5, 6, 7, 8
union all
select now(), 'info', null, 'no trail of account ' || t.account_id || ' records S3 object events: absence proves nothing',
  null, null, t.account_id, null, null, null, jsonb_build_object('trails', jsonb_agg(t.name order by t.name)), null, null
from cloudtrail_trail t
group by t.account_id
having not bool_or(t.s3_data_events and t.is_logging)
order by event_time desc, action, resource, principal;
