-- ListFindings and GetFindings; paths are those of the HTTP body.
create foreign table source.guardduty_finding (
  id text options (key 'optional', operators '=,<>', path 'id'),
  detector_id text options (key 'optional', operators '=,<>', path 'service.detectorId'),
  arn text options (path 'arn'),
  type text options (key 'optional', operators '=,<>,like', path 'type'),
  title text options (path 'title'),
  description text options (path 'description'),
  schema_version text options (path 'schemaVersion'),
  severity double precision options (key 'optional', operators '=,<,<=,>,>=', path 'severity'),
  severity_label text options (key 'optional', operators '=', expression 'case when severity < 4 then ''LOW'' when severity < 7 then ''MEDIUM'' when severity < 9 then ''HIGH'' when severity >= 9 then ''CRITICAL'' end'),
  confidence double precision options (path 'confidence'),
  created_at timestamptz options (key 'optional', operators '=,<,<=,>,>=', path 'createdAt'),
  updated_at timestamptz options (key 'optional', operators '=,<,<=,>,>=', path 'updatedAt'),
  archived boolean options (key 'optional', operators '=,is true,is false', path 'service.archived'),
  count integer options (path 'service.count'),
  first_seen_at timestamptz options (path 'service.eventFirstSeen'),
  last_seen_at timestamptz options (path 'service.eventLastSeen'),
  resource_type text options (key 'optional', operators '=', path 'resource.resourceType'),
  resource_role text options (key 'optional', operators '=', path 'service.resourceRole'),
  action_type text options (key 'optional', operators '=', path 'service.action.actionType'),
  remote_ip inet options (key 'optional', operators '=', path '@remote_ip'),
  remote_ips inet[] options (path '@remote_ips'),
  remote_country text options (path '@remote_country'),
  remote_city text options (path '@remote_city'),
  remote_asn text options (path '@remote_asn'),
  remote_asn_org text options (path '@remote_asn_org'),
  remote_isp text options (path '@remote_isp'),
  remote_org text options (path '@remote_org'),
  instance_id text options (key 'optional', operators '=', path 'resource.instanceDetails.instanceId'),
  access_key_id text options (key 'optional', operators '=', path 'resource.accessKeyDetails.accessKeyId'),
  user_name text options (key 'optional', operators '=', path 'resource.accessKeyDetails.userName'),
  user_type text options (path 'resource.accessKeyDetails.userType'),
  bucket_names text[] options (path '@bucket_names'),
  eks_cluster_name text options (path 'resource.eksClusterDetails.name'),
  db_instance_identifier text options (key 'optional', operators '=', path 'resource.rdsDbInstanceDetails.dbInstanceIdentifier'),
  db_cluster_identifier text options (path 'resource.rdsDbInstanceDetails.dbClusterIdentifier'),
  db_engine text options (path 'resource.rdsDbInstanceDetails.engine'),
  db_engine_version text options (path 'resource.rdsDbInstanceDetails.engineVersion'),
  db_user text options (key 'optional', operators '=', path 'resource.rdsDbUserDetails.user'),
  db_application text options (path 'resource.rdsDbUserDetails.application'),
  db_name text options (path 'resource.rdsDbUserDetails.database'),
  db_ssl text options (path 'resource.rdsDbUserDetails.ssl'),
  db_auth_method text options (path 'resource.rdsDbUserDetails.authMethod'),
  api text options (key 'optional', operators '=', path 'service.action.awsApiCallAction.api'),
  api_service text options (key 'optional', operators '=', path 'service.action.awsApiCallAction.serviceName'),
  threat_list_names text[] options (path '@threat_list_names'),
  threat_names text[] options (path '@threat_names'),
  sample boolean options (path '@sample'),
  db_instance_arn text options (path 'resource.rdsDbInstanceDetails.dbInstanceArn'),
  console_url text options (path '@console_url'),
  resource jsonb options (path 'resource'),
  service jsonb options (path 'service'),
  finding jsonb options (path '@record'),
  partition text options (key 'optional', operators '=,<>,like', path 'partition'),
  region text options (key 'optional', operators '=,<>,like', path 'region'),
  account_id text options (key 'optional', operators '=,<>,like', path 'accountId'),
  connection_name text options (key 'optional', operators '=,<>,like', path '@connection_name')
) server trailhound options (source 'guardduty_finding', kind 'scan', ttl '5 minutes');
comment on foreign table source.guardduty_finding is 'GuardDuty findings (ListFindings, GetFindings)';
comment on column source.guardduty_finding.id is 'Id of the finding (Id)';
comment on column source.guardduty_finding.detector_id is 'Id of the detector that found it (Service.DetectorId)';
comment on column source.guardduty_finding.arn is 'ARN of the finding (Arn)';
comment on column source.guardduty_finding.type is 'Type of the finding, such as UnauthorizedAccess:EC2/SSHBruteForce (Type)';
comment on column source.guardduty_finding.title is 'The finding in one line (Title)';
comment on column source.guardduty_finding.description is 'The finding in words (Description)';
comment on column source.guardduty_finding.schema_version is 'Version of the finding''s format (SchemaVersion)';
comment on column source.guardduty_finding.severity is 'From 1.0 to 10.0 (Severity)';
comment on column source.guardduty_finding.severity_label is 'LOW below 4, MEDIUM below 7, HIGH below 9, else CRITICAL';
comment on column source.guardduty_finding.confidence is 'From 0 to 100 (Confidence)';
comment on column source.guardduty_finding.created_at is 'When the finding was made (CreatedAt)';
comment on column source.guardduty_finding.updated_at is 'When it was last changed (UpdatedAt)';
comment on column source.guardduty_finding.archived is 'Whether somebody archived it; both kinds are returned unless asked otherwise (Service.Archived)';
comment on column source.guardduty_finding.count is 'How often it was seen (Service.Count)';
comment on column source.guardduty_finding.first_seen_at is 'When it was first seen (Service.EventFirstSeen)';
comment on column source.guardduty_finding.last_seen_at is 'When it was last seen (Service.EventLastSeen)';
comment on column source.guardduty_finding.resource_type is 'Instance, AccessKey, S3Bucket, RDSDBInstance, … (Resource.ResourceType)';
comment on column source.guardduty_finding.resource_role is 'TARGET or ACTOR (Service.ResourceRole)';
comment on column source.guardduty_finding.action_type is 'AWS_API_CALL, NETWORK_CONNECTION, RDS_LOGIN_ATTEMPT, … (Service.Action.ActionType)';
comment on column source.guardduty_finding.remote_ip is 'The other side''s address (RemoteIpDetails.IpAddressV4 or V6 of the action; a port probe''s first)';
comment on column source.guardduty_finding.remote_ips is 'All of the other side''s addresses';
comment on column source.guardduty_finding.remote_country is 'Country of remote_ip (RemoteIpDetails.Country.CountryName)';
comment on column source.guardduty_finding.remote_city is 'City of remote_ip (RemoteIpDetails.City.CityName)';
comment on column source.guardduty_finding.remote_asn is 'Autonomous system of remote_ip, a number (RemoteIpDetails.Organization.Asn)';
comment on column source.guardduty_finding.remote_asn_org is 'Organisation of that autonomous system (RemoteIpDetails.Organization.AsnOrg)';
comment on column source.guardduty_finding.remote_isp is 'Internet provider of remote_ip (RemoteIpDetails.Organization.Isp)';
comment on column source.guardduty_finding.remote_org is 'Organisation of remote_ip (RemoteIpDetails.Organization.Org)';
comment on column source.guardduty_finding.instance_id is 'EC2 instance (Resource.InstanceDetails.InstanceId)';
comment on column source.guardduty_finding.access_key_id is 'Access key (Resource.AccessKeyDetails.AccessKeyId)';
comment on column source.guardduty_finding.user_name is 'Owner of the access key (Resource.AccessKeyDetails.UserName)';
comment on column source.guardduty_finding.user_type is 'IAMUser, AssumedRole, Root, … (Resource.AccessKeyDetails.UserType)';
comment on column source.guardduty_finding.bucket_names is 'S3 buckets (Resource.S3BucketDetails[].Name)';
comment on column source.guardduty_finding.eks_cluster_name is 'EKS cluster (Resource.EksClusterDetails.Name)';
comment on column source.guardduty_finding.db_instance_identifier is 'RDS instance (Resource.RdsDbInstanceDetails.DbInstanceIdentifier)';
comment on column source.guardduty_finding.db_cluster_identifier is 'RDS cluster (Resource.RdsDbInstanceDetails.DbClusterIdentifier)';
comment on column source.guardduty_finding.db_engine is 'Database engine (Resource.RdsDbInstanceDetails.Engine)';
comment on column source.guardduty_finding.db_engine_version is 'Its version (Resource.RdsDbInstanceDetails.EngineVersion)';
comment on column source.guardduty_finding.db_user is 'Database user of the log-in (Resource.RdsDbUserDetails.User)';
comment on column source.guardduty_finding.db_application is 'Program of the log-in (Resource.RdsDbUserDetails.Application)';
comment on column source.guardduty_finding.db_name is 'Database of the log-in (Resource.RdsDbUserDetails.Database)';
comment on column source.guardduty_finding.db_ssl is 'TLS of the log-in (Resource.RdsDbUserDetails.Ssl)';
comment on column source.guardduty_finding.db_auth_method is 'How the log-in proved who it was (Resource.RdsDbUserDetails.AuthMethod)';
comment on column source.guardduty_finding.api is 'API action (Service.Action.AwsApiCallAction.Api)';
comment on column source.guardduty_finding.api_service is 'Service of the API action (Service.Action.AwsApiCallAction.ServiceName)';
comment on column source.guardduty_finding.threat_list_names is 'Threat lists that have the address (Service.Evidence.ThreatIntelligenceDetails[].ThreatListName)';
comment on column source.guardduty_finding.threat_names is 'What they call the threat (Service.Evidence.ThreatIntelligenceDetails[].ThreatNames)';
comment on column source.guardduty_finding.sample is 'Whether it is a sample finding (Service.AdditionalInfo, or a title that begins with [SAMPLE])';
comment on column source.guardduty_finding.db_instance_arn is 'ARN of the RDS instance (Resource.RdsDbInstanceDetails.DbInstanceArn)';
comment on column source.guardduty_finding.console_url is 'Link to the finding in its region''s console';
comment on column source.guardduty_finding.resource is 'What the finding is about (Resource)';
comment on column source.guardduty_finding.service is 'How it was found (Service)';
comment on column source.guardduty_finding.finding is 'The whole finding';
comment on column source.guardduty_finding.partition is 'aws, aws-cn or aws-us-gov (partition)';
comment on column source.guardduty_finding.region is 'Region of the finding (region)';
comment on column source.guardduty_finding.account_id is 'Account of the finding (accountId)';
comment on column source.guardduty_finding.connection_name is 'Connection of the configuration that it came through';

create or replace view public.guardduty_finding as select * from source.guardduty_finding;

-- Columns in the order of steampipe-plugin-aws.
create or replace view steampipe.aws_guardduty_finding as
select
  title as name, id, arn, detector_id, severity, created_at, confidence, description, schema_version, type, updated_at,
  resource, service, title, pg_catalog.jsonb_build_array(arn) as akas, partition, region, account_id,
  connection_name as sp_connection_name,
  pg_catalog.jsonb_build_object('connection_name', connection_name) as sp_ctx,
  pg_catalog.jsonb_build_object('connection_name', connection_name) as _ctx
from source.guardduty_finding;
