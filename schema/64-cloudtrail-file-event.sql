-- CloudTrail records in files, in the shapes that CloudTrail, CloudWatch Logs and EventBridge deliver them. What a file's path
-- says decides which files are read; texts that must stand in a record, which records are parsed.
create foreign table source.cloudtrail_file_event (
  log_group_name text options (key 'optional', operators '=,<>,like,is not null', path '@log_group_name'),
  log_stream_name text options (key 'optional', operators '=,<>,like,is not null', path '@log_stream_name'),
  filter text options (key 'optional', operators '=,<>,like,is not null', path '@filter'),
  "timestamp" timestamptz options (key 'optional', operators '=,<,<=,>,>=', path '@timestamp'),
  timestamp_ms bigint options (key 'optional', operators '=,<,<=,>,>=', expression 'pg_catalog.floor(pg_catalog.extract(''epoch'', "timestamp") operator(pg_catalog.*) 1000)::pg_catalog.int8'),
  event_time timestamptz options (key 'optional', operators '=,<,<=,>,>=', path 'eventTime'),
  event_id text options (key 'optional', operators '=,like,ilike', path 'eventID'),
  event_name text options (key 'optional', operators '=,like,ilike', path 'eventName'),
  event_source text options (key 'optional', operators '=,like,ilike', path 'eventSource'),
  event_type text options (key 'optional', operators '=,like,ilike', path 'eventType'),
  event_category text options (key 'optional', operators '=,like,ilike', path 'eventCategory'),
  event_version text options (key 'optional', operators '=,like,ilike', path 'eventVersion'),
  aws_region text options (key 'optional', operators '=,like,ilike', path 'awsRegion'),
  error_code text options (key 'optional', operators '=,like,ilike', path 'errorCode'),
  error_message text options (key 'optional', operators '=,like,ilike', path 'errorMessage'),
  request_id text options (key 'optional', operators '=,like,ilike', path 'requestID'),
  shared_event_id text options (key 'optional', operators '=,like,ilike', path 'sharedEventID'),
  recipient_account_id text options (key 'optional', operators '=,like,ilike', path 'recipientAccountId'),
  user_agent text options (key 'optional', operators '=,like,ilike', path 'userAgent'),
  vpc_endpoint_id text options (key 'optional', operators '=,like,ilike', path 'vpcEndpointId'),
  source_ip_address text options (key 'optional', operators '=,like,ilike', path 'sourceIPAddress'),
  source_ip inet options (expression 'pg_catalog.try_inet(source_ip_address)'),
  read_only boolean options (path 'readOnly'),
  management_event boolean options (path 'managementEvent'),
  access_key_id text options (key 'optional', operators '=,like,ilike', path 'userIdentity.accessKeyId'),
  user_type text options (key 'optional', operators '=,like,ilike', path 'userIdentity.type'),
  username text options (key 'optional', operators '=,like,ilike', path 'userIdentity.userName'),
  user_arn text options (key 'optional', operators '=,like,ilike', path 'userIdentity.arn'),
  principal_id text options (key 'optional', operators '=,like,ilike', path 'userIdentity.principalId'),
  user_account_id text options (key 'optional', operators '=,like,ilike', path 'userIdentity.accountId'),
  invoked_by text options (key 'optional', operators '=,like,ilike', path 'userIdentity.invokedBy'),
  user_identifier text options (expression 'coalesce(user_arn, session_issuer_arn, principal_id)'),
  session_issuer_arn text options (key 'optional', operators '=,like,ilike', path 'userIdentity.sessionContext.sessionIssuer.arn'),
  session_issuer_name text options (key 'optional', operators '=,like,ilike', path 'userIdentity.sessionContext.sessionIssuer.userName'),
  mfa_authenticated boolean options (path 'userIdentity.sessionContext.attributes.mfaAuthenticated'),
  user_identity jsonb options (operators '=,like,ilike', path 'userIdentity'),
  request_parameters jsonb options (operators '=,like,ilike', path 'requestParameters'),
  response_elements jsonb options (operators '=,like,ilike', path 'responseElements'),
  additional_event_data jsonb options (operators '=,like,ilike', path 'additionalEventData'),
  resources jsonb options (operators '=,like,ilike', path 'resources'),
  tls_details jsonb options (operators '=,like,ilike', path 'tlsDetails'),
  service_event_details jsonb options (operators '=,like,ilike', path 'serviceEventDetails'),
  cloudtrail_event jsonb options (operators '=,like,ilike', path '@record'),
  path text options (key 'optional', operators '=,<>,like', path '@path'),
  file_line bigint options (path '@file_line'),
  partition text options (key 'optional', operators '=,<>,like', path '@partition'),
  region text options (key 'optional', operators '=,<>,like', path '@region'),
  account_id text options (key 'optional', operators '=,<>,like', path '@account_id'),
  connection_name text options (key 'optional', operators '=,<>,like', path '@connection_name')
) server trailhound options (source 'files', kind 'scan', ttl '0');
comment on foreign table source.cloudtrail_file_event is 'CloudTrail events in files';
comment on column source.cloudtrail_file_event.log_group_name is 'NULL: files are in no log group';
comment on column source.cloudtrail_file_event.log_stream_name is 'NULL: files are in no log group';
comment on column source.cloudtrail_file_event.filter is 'NULL: files take no filter pattern';
comment on column source.cloudtrail_file_event."timestamp" is 'When the event happened: the time before a record that CloudWatch Logs exported, else eventTime';
comment on column source.cloudtrail_file_event.timestamp_ms is 'The same in milliseconds since 1970-01-01 UTC';
comment on column source.cloudtrail_file_event.path is 'File that the record is in, from the root of the file system or as s3://bucket/key';
comment on column source.cloudtrail_file_event.file_line is 'Line of the file where the record begins, from 1; in CloudTrail''s own files all are in line 1';
comment on column source.cloudtrail_file_event.partition is 'aws, aws-cn or aws-us-gov, where the path names a region';
comment on column source.cloudtrail_file_event.region is 'Region in the path, as CloudTrail names its folders and files; the event''s own is aws_region';
comment on column source.cloudtrail_file_event.account_id is 'Account in the path, as CloudTrail names its folders and files; the event''s own is recipient_account_id';
select trailhound.comment_as('source.cloudtrail_file_event', 'source.cloudtrail_trail_event');

create or replace view public.cloudtrail_file_event as select * from source.cloudtrail_file_event;
