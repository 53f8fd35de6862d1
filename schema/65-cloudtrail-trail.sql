-- DescribeTrails, and of each trail GetTrailStatus and GetEventSelectors where a statement uses their columns; paths are those of the
-- HTTP bodies, status.* and recorded.* what the source puts beside them.
create foreign table source.cloudtrail_trail (
  name text options (key 'optional', operators '=,<>,like', path 'Name'),
  arn text options (key 'optional', operators '=,<>,like', path 'TrailARN'),
  home_region text options (key 'optional', operators '=,<>,like', path 'HomeRegion'),
  is_multi_region_trail boolean options (path 'IsMultiRegionTrail'),
  is_organization_trail boolean options (path 'IsOrganizationTrail'),
  include_global_service_events boolean options (path 'IncludeGlobalServiceEvents'),
  log_group_name text options (path 'logGroupName'),
  s3_bucket text options (path 'S3BucketName'),
  s3_key_prefix text options (path 'S3KeyPrefix'),
  log_file_validation_enabled boolean options (path 'LogFileValidationEnabled'),
  is_logging boolean options (path 'status.IsLogging'),
  latest_delivery_time timestamptz options (path 'status.LatestDeliveryTime'),
  latest_delivery_error text options (path 'status.LatestDeliveryError'),
  management_events boolean options (path 'recorded.managementEvents'),
  s3_data_events boolean options (path 'recorded.s3DataEvents'),
  event_selectors jsonb options (path 'recorded.selectors'),
  partition text options (key 'optional', operators '=,<>,like', path '@partition'),
  region text options (key 'optional', operators '=,<>,like', path '@region'),
  account_id text options (key 'optional', operators '=,<>,like', path '@account_id'),
  connection_name text options (key 'optional', operators '=,<>,like', path '@connection_name')
) server trailhound options (source 'cloudtrail_trail', kind 'scan', ttl '5 minutes');
comment on foreign table source.cloudtrail_trail is 'Trails: what is recorded, and where it is delivered to (DescribeTrails, GetTrailStatus, GetEventSelectors)';
comment on column source.cloudtrail_trail.name is 'Name of the trail (Name)';
comment on column source.cloudtrail_trail.arn is 'ARN of the trail (TrailARN)';
comment on column source.cloudtrail_trail.home_region is 'Region that the trail was made in (HomeRegion)';
comment on column source.cloudtrail_trail.is_multi_region_trail is 'Whether it records every region (IsMultiRegionTrail)';
comment on column source.cloudtrail_trail.is_organization_trail is 'Whether it records every account of the organisation (IsOrganizationTrail)';
comment on column source.cloudtrail_trail.include_global_service_events is 'Whether it records services without a region, such as IAM (IncludeGlobalServiceEvents)';
comment on column source.cloudtrail_trail.log_group_name is 'Log group that it delivers to; NULL where it delivers to S3 alone (CloudWatchLogsLogGroupArn)';
comment on column source.cloudtrail_trail.s3_bucket is 'Bucket that it delivers to (S3BucketName)';
comment on column source.cloudtrail_trail.s3_key_prefix is 'What the names of its files in the bucket begin with (S3KeyPrefix)';
comment on column source.cloudtrail_trail.log_file_validation_enabled is 'Whether digests tell files that were changed (LogFileValidationEnabled)';
comment on column source.cloudtrail_trail.is_logging is 'Whether it records now (GetTrailStatus: IsLogging)';
comment on column source.cloudtrail_trail.latest_delivery_time is 'When a file was last delivered to the bucket (GetTrailStatus: LatestDeliveryTime)';
comment on column source.cloudtrail_trail.latest_delivery_error is 'Why the last delivery to the bucket failed; NULL where it did not (GetTrailStatus: LatestDeliveryError)';
comment on column source.cloudtrail_trail.management_events is 'Whether it records management events, all or some (GetEventSelectors)';
comment on column source.cloudtrail_trail.s3_data_events is 'Whether it records reads and writes of objects in S3, in all buckets or some (GetEventSelectors)';
comment on column source.cloudtrail_trail.event_selectors is 'What it records: its advanced selectors, else its basic ones (GetEventSelectors)';
comment on column source.cloudtrail_trail.partition is 'aws, aws-cn or aws-us-gov, as its ARN says';
comment on column source.cloudtrail_trail.region is 'Its home region';
comment on column source.cloudtrail_trail.account_id is 'Account that owns it, as its ARN says; of an organisation''s trail not the one that was asked';
comment on column source.cloudtrail_trail.connection_name is 'Connection of the configuration that it came through';

create or replace view public.cloudtrail_trail as select * from source.cloudtrail_trail;
