-- CloudTrail delivered to CloudWatch Logs: FilterLogEvents. A record may be a bare one or an EventBridge envelope.
create foreign table source.cloudtrail_trail_event (
  log_group_name text options (key 'optional', operators '=', path '@log_group_name'),
  log_stream_name text options (key 'optional', operators '=,like', path '@log_stream_name'),
  filter text options (key 'input', operators '=', path '@filter'),
  "timestamp" timestamptz options (key 'optional', operators '=,<,<=,>,>=', path '@timestamp'),
  timestamp_ms bigint options (key 'optional', operators '=,<,<=,>,>=', path '@timestamp'),
  event_time timestamptz options (key 'optional', operators '=,<,<=,>,>=', path 'eventTime'),
  event_id text options (key 'optional', operators '=,<>,like,ilike,is null,is not null', path 'eventID'),
  event_name text options (key 'optional', operators '=,<>,like,ilike,is null,is not null', path 'eventName'),
  event_source text options (key 'optional', operators '=,<>,like,ilike,is null,is not null', path 'eventSource'),
  event_type text options (key 'optional', operators '=,<>,like,ilike,is null,is not null', path 'eventType'),
  event_category text options (key 'optional', operators '=,<>,like,ilike,is null,is not null', path 'eventCategory'),
  event_version text options (key 'optional', operators '=,<>,like,ilike,is null,is not null', path 'eventVersion'),
  aws_region text options (key 'optional', operators '=,<>,like,ilike,is null,is not null', path 'awsRegion'),
  error_code text options (key 'optional', operators '=,<>,like,ilike,is null,is not null', path 'errorCode'),
  error_message text options (key 'optional', operators '=,<>,like,ilike,is null,is not null', path 'errorMessage'),
  request_id text options (key 'optional', operators '=,<>,like,ilike,is null,is not null', path 'requestID'),
  shared_event_id text options (key 'optional', operators '=,<>,like,ilike,is null,is not null', path 'sharedEventID'),
  recipient_account_id text options (key 'optional', operators '=,<>,like,ilike,is null,is not null', path 'recipientAccountId'),
  user_agent text options (key 'optional', operators '=,<>,like,ilike,is null,is not null', path 'userAgent'),
  vpc_endpoint_id text options (key 'optional', operators '=,<>,like,ilike,is null,is not null', path 'vpcEndpointId'),
  source_ip_address text options (key 'optional', operators '=,<>,like,ilike,is null,is not null', path 'sourceIPAddress'),
  source_ip inet options (key 'optional', operators '=', expression 'pg_catalog.try_inet(source_ip_address)'),
  read_only boolean options (key 'optional', operators '=,is true,is false', path 'readOnly'),
  management_event boolean options (key 'optional', operators '=,is true,is false', path 'managementEvent'),
  access_key_id text options (key 'optional', operators '=,<>,like,ilike,is null,is not null', path 'userIdentity.accessKeyId'),
  user_type text options (key 'optional', operators '=,<>,like,ilike,is null,is not null', path 'userIdentity.type'),
  username text options (key 'optional', operators '=,<>,like,ilike,is null,is not null', path 'userIdentity.userName'),
  user_arn text options (key 'optional', operators '=,<>,like,ilike,is null,is not null', path 'userIdentity.arn'),
  principal_id text options (key 'optional', operators '=,<>,like,ilike,is null,is not null', path 'userIdentity.principalId'),
  user_account_id text options (key 'optional', operators '=,<>,like,ilike,is null,is not null', path 'userIdentity.accountId'),
  invoked_by text options (key 'optional', operators '=,<>,like,ilike,is null,is not null', path 'userIdentity.invokedBy'),
  user_identifier text options (expression 'coalesce(user_arn, session_issuer_arn, principal_id)'),
  session_issuer_arn text options (key 'optional', operators '=,<>,like,ilike,is null,is not null', path 'userIdentity.sessionContext.sessionIssuer.arn'),
  session_issuer_name text options (key 'optional', operators '=,<>,like,ilike,is null,is not null', path 'userIdentity.sessionContext.sessionIssuer.userName'),
  mfa_authenticated boolean options (key 'optional', operators '=,is true,is false', path 'userIdentity.sessionContext.attributes.mfaAuthenticated'),
  user_identity jsonb options (operators '=,<>,like,ilike,is not null', path 'userIdentity'),
  request_parameters jsonb options (operators '=,<>,like,ilike,is not null', path 'requestParameters'),
  response_elements jsonb options (operators '=,<>,like,ilike,is not null', path 'responseElements'),
  additional_event_data jsonb options (operators '=,<>,like,ilike,is not null', path 'additionalEventData'),
  resources jsonb options (operators '=,<>,like,ilike,is not null', path 'resources'),
  tls_details jsonb options (operators '=,<>,like,ilike,is not null', path 'tlsDetails'),
  service_event_details jsonb options (operators '=,<>,like,ilike,is not null', path 'serviceEventDetails'),
  cloudtrail_event jsonb options (operators '=,<>,like,is not null', path '@record'),
  partition text options (key 'optional', operators '=,<>,like', path '@partition'),
  region text options (key 'optional', operators '=,<>,like', path '@region'),
  account_id text options (key 'optional', operators '=,<>,like', path '@account_id'),
  connection_name text options (key 'optional', operators '=,<>,like', path '@connection_name')
) server trailhound options (source 'cloudwatch_logs', kind 'scan', ttl '5 minutes', size 'large');
comment on foreign table source.cloudtrail_trail_event is 'CloudTrail events in CloudWatch Logs (FilterLogEvents)';
comment on column source.cloudtrail_trail_event.log_group_name is 'CloudWatch log group; without a condition on it, the log groups that the connection names';
comment on column source.cloudtrail_trail_event.log_stream_name is 'Stream in the log group (logStreamName)';
comment on column source.cloudtrail_trail_event.filter is 'A CloudWatch Logs filter pattern that is asked for as well, such as { $.errorCode = "AccessDenied" }; NULL where none was given';
comment on column source.cloudtrail_trail_event."timestamp" is 'When CloudWatch Logs says the event happened (timestamp), in milliseconds'' precision';
comment on column source.cloudtrail_trail_event.timestamp_ms is 'The same in milliseconds since 1970-01-01 UTC (timestamp)';
comment on column source.cloudtrail_trail_event.event_time is 'When the request was made (eventTime)';
comment on column source.cloudtrail_trail_event.event_id is 'Id of the event (eventID); the same event may be delivered more than once';
comment on column source.cloudtrail_trail_event.event_name is 'The requested action, such as CreateUser (eventName)';
comment on column source.cloudtrail_trail_event.event_source is 'The service asked, such as iam.amazonaws.com (eventSource)';
comment on column source.cloudtrail_trail_event.event_type is 'AwsApiCall, AwsConsoleSignIn, AwsServiceEvent, … (eventType)';
comment on column source.cloudtrail_trail_event.event_category is 'Management, Data, NetworkActivity or Insight (eventCategory)';
comment on column source.cloudtrail_trail_event.event_version is 'Version of the record''s format (eventVersion)';
comment on column source.cloudtrail_trail_event.aws_region is 'Region that the request was made to (awsRegion)';
comment on column source.cloudtrail_trail_event.error_code is 'Why the request failed, such as AccessDenied; NULL where it did not (errorCode)';
comment on column source.cloudtrail_trail_event.error_message is 'The error in words (errorMessage)';
comment on column source.cloudtrail_trail_event.request_id is 'Id of the request, from the service (requestID)';
comment on column source.cloudtrail_trail_event.shared_event_id is 'Equal in the events of one action that several accounts received (sharedEventID)';
comment on column source.cloudtrail_trail_event.recipient_account_id is 'Account that received the event (recipientAccountId)';
comment on column source.cloudtrail_trail_event.user_agent is 'Program that made the request, as it calls itself (userAgent)';
comment on column source.cloudtrail_trail_event.vpc_endpoint_id is 'VPC endpoint that the request went through (vpcEndpointId)';
comment on column source.cloudtrail_trail_event.source_ip_address is 'Where the request came from: an address, a service name or AWS Internal (sourceIPAddress)';
comment on column source.cloudtrail_trail_event.source_ip is 'source_ip_address where it is an address, else NULL';
comment on column source.cloudtrail_trail_event.read_only is 'Whether the action changes nothing (readOnly)';
comment on column source.cloudtrail_trail_event.management_event is 'Whether it is a management event (managementEvent)';
comment on column source.cloudtrail_trail_event.access_key_id is 'Access key that signed the request (userIdentity.accessKeyId)';
comment on column source.cloudtrail_trail_event.user_type is 'IAMUser, AssumedRole, Root, AWSService, … (userIdentity.type)';
comment on column source.cloudtrail_trail_event.username is 'The caller''s friendly name (userIdentity.userName)';
comment on column source.cloudtrail_trail_event.user_arn is 'The caller''s ARN (userIdentity.arn)';
comment on column source.cloudtrail_trail_event.principal_id is 'The caller''s unique id (userIdentity.principalId)';
comment on column source.cloudtrail_trail_event.user_account_id is 'The caller''s account (userIdentity.accountId)';
comment on column source.cloudtrail_trail_event.invoked_by is 'Service that made the request for the caller (userIdentity.invokedBy)';
comment on column source.cloudtrail_trail_event.user_identifier is 'The caller: user_arn, else session_issuer_arn, else principal_id';
comment on column source.cloudtrail_trail_event.session_issuer_arn is 'ARN of what issued the temporary credentials, mostly a role (userIdentity.sessionContext.sessionIssuer.arn)';
comment on column source.cloudtrail_trail_event.session_issuer_name is 'Its name (userIdentity.sessionContext.sessionIssuer.userName)';
comment on column source.cloudtrail_trail_event.mfa_authenticated is 'Whether the session was opened with a second factor (userIdentity.sessionContext.attributes.mfaAuthenticated)';
comment on column source.cloudtrail_trail_event.user_identity is 'Who made the request (userIdentity)';
comment on column source.cloudtrail_trail_event.request_parameters is 'What was asked for (requestParameters)';
comment on column source.cloudtrail_trail_event.response_elements is 'What an action that changes something answered (responseElements)';
comment on column source.cloudtrail_trail_event.additional_event_data is 'What is part of neither request nor answer (additionalEventData)';
comment on column source.cloudtrail_trail_event.resources is 'Resources that the event touched (resources)';
comment on column source.cloudtrail_trail_event.tls_details is 'TLS version, cipher suite and host name of the request (tlsDetails)';
comment on column source.cloudtrail_trail_event.service_event_details is 'What started a service event, and its result (serviceEventDetails)';
comment on column source.cloudtrail_trail_event.cloudtrail_event is 'The whole record';
comment on column source.cloudtrail_trail_event.partition is 'aws, aws-cn or aws-us-gov: where it was read';
comment on column source.cloudtrail_trail_event.region is 'Region where it was read; the event''s own is aws_region';
comment on column source.cloudtrail_trail_event.account_id is 'Account where it was read';
comment on column source.cloudtrail_trail_event.connection_name is 'Connection of the configuration that it came through';

create or replace view public.cloudtrail_trail_event as select * from source.cloudtrail_trail_event;

-- Columns in the order of steampipe-plugin-aws.
create or replace view steampipe.aws_cloudtrail_trail_event as
select
  filter, log_group_name, log_stream_name, "timestamp", timestamp_ms, access_key_id, aws_region, error_code,
  error_message, event_category, event_id, event_name, event_source, event_time, event_type, event_version, read_only,
  recipient_account_id, request_id, shared_event_id, source_ip_address, user_agent, user_type, username,
  user_identifier, vpc_endpoint_id, additional_event_data, cloudtrail_event, request_parameters, response_elements,
  resources, tls_details, user_identity, partition, region, account_id,
  connection_name as sp_connection_name,
  pg_catalog.jsonb_build_object('connection_name', connection_name) as sp_ctx,
  pg_catalog.jsonb_build_object('connection_name', connection_name) as _ctx
from source.cloudtrail_trail_event;
