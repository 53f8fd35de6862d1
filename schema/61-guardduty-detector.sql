-- ListDetectors and GetDetector; paths are those of the HTTP body.
create foreign table source.guardduty_detector (
  detector_id text options (key 'optional', operators '=', path '@detector_id'),
  arn text options (path '@arn'),
  status text options (path 'status'),
  finding_publishing_frequency text options (path 'findingPublishingFrequency'),
  service_role text options (path 'serviceRole'),
  created_at timestamptz options (path 'createdAt'),
  updated_at timestamptz options (path 'updatedAt'),
  data_sources jsonb options (path 'dataSources'),
  features jsonb options (path 'features'),
  tags jsonb options (path 'tags'),
  partition text options (key 'optional', operators '=,<>,like', path '@partition'),
  region text options (key 'optional', operators '=,<>,like', path '@region'),
  account_id text options (key 'optional', operators '=,<>,like', path '@account_id'),
  connection_name text options (key 'optional', operators '=,<>,like', path '@connection_name')
) server trailhound options (source 'guardduty_detector', kind 'scan', ttl '5 minutes');
comment on foreign table source.guardduty_detector is 'GuardDuty detectors, at most one an account and region (ListDetectors, GetDetector)';
comment on column source.guardduty_detector.detector_id is 'Id of the detector (DetectorId)';
comment on column source.guardduty_detector.arn is 'ARN of the detector';
comment on column source.guardduty_detector.status is 'ENABLED or DISABLED (Status)';
comment on column source.guardduty_detector.finding_publishing_frequency is 'How often updated findings are published: FIFTEEN_MINUTES, ONE_HOUR or SIX_HOURS (FindingPublishingFrequency)';
comment on column source.guardduty_detector.service_role is 'ARN of GuardDuty''s role (ServiceRole)';
comment on column source.guardduty_detector.created_at is 'When the detector was made (CreatedAt)';
comment on column source.guardduty_detector.updated_at is 'When it was last changed (UpdatedAt)';
comment on column source.guardduty_detector.data_sources is 'What it reads (DataSources)';
comment on column source.guardduty_detector.features is 'Protection plans and whether they are on (Features)';
comment on column source.guardduty_detector.tags is 'Tags by name (Tags)';
comment on column source.guardduty_detector.partition is 'aws, aws-cn or aws-us-gov: where it was read';
comment on column source.guardduty_detector.region is 'Region where it was read';
comment on column source.guardduty_detector.account_id is 'Account where it was read';
comment on column source.guardduty_detector.connection_name is 'Connection of the configuration that it came through';

create or replace view public.guardduty_detector as select * from source.guardduty_detector;

-- Columns in the order of steampipe-plugin-aws; its master_account needs a call that is not made here.
create or replace view steampipe.aws_guardduty_detector as
select
  detector_id, arn, status, created_at, finding_publishing_frequency, service_role, updated_at, data_sources, features,
  detector_id as title, tags, pg_catalog.jsonb_build_array(arn) as akas, partition, region, account_id,
  connection_name as sp_connection_name,
  pg_catalog.jsonb_build_object('connection_name', connection_name) as sp_ctx,
  pg_catalog.jsonb_build_object('connection_name', connection_name) as _ctx
from source.guardduty_detector;
