-- CloudTrail's event history: LookupEvents, which needs no trail. One lookup attribute is asked for at a time.
create foreign table source.cloudtrail_lookup_event (
  event_time timestamptz options (key 'optional', operators '=,<,<=,>,>=', path 'eventTime'),
  event_id text options (key 'optional', operators '=', path 'eventID'),
  event_name text options (key 'optional', operators '=', path 'eventName'),
  event_source text options (key 'optional', operators '=', path 'eventSource'),
  event_type text options (path 'eventType'),
  event_category text options (path 'eventCategory'),
  event_version text options (path 'eventVersion'),
  aws_region text options (path 'awsRegion'),
  error_code text options (path 'errorCode'),
  error_message text options (path 'errorMessage'),
  request_id text options (path 'requestID'),
  shared_event_id text options (path 'sharedEventID'),
  recipient_account_id text options (path 'recipientAccountId'),
  user_agent text options (path 'userAgent'),
  vpc_endpoint_id text options (path 'vpcEndpointId'),
  source_ip_address text options (path 'sourceIPAddress'),
  source_ip inet options (expression 'pg_catalog.try_inet(source_ip_address)'),
  read_only boolean options (key 'optional', operators '=,is true,is false', path 'readOnly'),
  management_event boolean options (path 'managementEvent'),
  access_key_id text options (key 'optional', operators '=', path 'userIdentity.accessKeyId'),
  user_type text options (path 'userIdentity.type'),
  username text options (key 'optional', operators '=', path '@username'),
  user_arn text options (path 'userIdentity.arn'),
  principal_id text options (path 'userIdentity.principalId'),
  user_account_id text options (path 'userIdentity.accountId'),
  invoked_by text options (path 'userIdentity.invokedBy'),
  user_identifier text options (expression 'coalesce(user_arn, session_issuer_arn, principal_id)'),
  session_issuer_arn text options (path 'userIdentity.sessionContext.sessionIssuer.arn'),
  session_issuer_name text options (path 'userIdentity.sessionContext.sessionIssuer.userName'),
  mfa_authenticated boolean options (path 'userIdentity.sessionContext.attributes.mfaAuthenticated'),
  user_identity jsonb options (path 'userIdentity'),
  request_parameters jsonb options (path 'requestParameters'),
  response_elements jsonb options (path 'responseElements'),
  additional_event_data jsonb options (path 'additionalEventData'),
  resources jsonb options (path 'resources'),
  tls_details jsonb options (path 'tlsDetails'),
  service_event_details jsonb options (path 'serviceEventDetails'),
  cloudtrail_event jsonb options (path '@record'),
  cloud_trail_event jsonb options (path '@record'),
  resource_name text options (key 'input', operators '=', path '@resource_name'),
  resource_type text options (key 'input', operators '=', path '@resource_type'),
  start_time timestamptz options (key 'input', operators '=', path '@start_time'),
  end_time timestamptz options (key 'input', operators '=', path '@end_time'),
  partition text options (key 'optional', operators '=,<>,like', path '@partition'),
  region text options (key 'optional', operators '=,<>,like', path '@region'),
  account_id text options (key 'optional', operators '=,<>,like', path '@account_id'),
  connection_name text options (key 'optional', operators '=,<>,like', path '@connection_name')
) server trailhound options (source 'cloudtrail_lookup', kind 'scan', ttl '5 minutes', size 'large');
comment on foreign table source.cloudtrail_lookup_event is 'CloudTrail''s event history: management events of the last 90 days (LookupEvents)';
comment on column source.cloudtrail_lookup_event.event_time is 'When the request was made (eventTime)';
comment on column source.cloudtrail_lookup_event.event_id is 'Id of the event (eventID); one that concerns several regions may come from each of them';
comment on column source.cloudtrail_lookup_event.event_name is 'The requested action, such as CreateUser (eventName)';
comment on column source.cloudtrail_lookup_event.event_source is 'The service asked, such as iam.amazonaws.com (eventSource)';
comment on column source.cloudtrail_lookup_event.event_type is 'AwsApiCall, AwsConsoleSignIn, AwsServiceEvent, … (eventType)';
comment on column source.cloudtrail_lookup_event.event_category is 'Management, Data, NetworkActivity or Insight (eventCategory)';
comment on column source.cloudtrail_lookup_event.event_version is 'Version of the record''s format (eventVersion)';
comment on column source.cloudtrail_lookup_event.aws_region is 'Region that the request was made to (awsRegion)';
comment on column source.cloudtrail_lookup_event.error_code is 'Why the request failed, such as AccessDenied; NULL where it did not (errorCode)';
comment on column source.cloudtrail_lookup_event.error_message is 'The error in words (errorMessage)';
comment on column source.cloudtrail_lookup_event.request_id is 'Id of the request, from the service (requestID)';
comment on column source.cloudtrail_lookup_event.shared_event_id is 'Equal in the events of one action that several accounts received (sharedEventID)';
comment on column source.cloudtrail_lookup_event.recipient_account_id is 'Account that received the event (recipientAccountId)';
comment on column source.cloudtrail_lookup_event.user_agent is 'Program that made the request, as it calls itself (userAgent)';
comment on column source.cloudtrail_lookup_event.vpc_endpoint_id is 'VPC endpoint that the request went through (vpcEndpointId)';
comment on column source.cloudtrail_lookup_event.source_ip_address is 'Where the request came from: an address, a service name or AWS Internal (sourceIPAddress)';
comment on column source.cloudtrail_lookup_event.source_ip is 'source_ip_address where it is an address, else NULL';
comment on column source.cloudtrail_lookup_event.read_only is 'Whether the action changes nothing (readOnly)';
comment on column source.cloudtrail_lookup_event.management_event is 'Whether it is a management event (managementEvent)';
comment on column source.cloudtrail_lookup_event.access_key_id is 'Access key that signed the request (userIdentity.accessKeyId)';
comment on column source.cloudtrail_lookup_event.user_type is 'IAMUser, AssumedRole, Root, AWSService, … (userIdentity.type)';
comment on column source.cloudtrail_lookup_event.username is 'The caller''s user or role name as the service gives it, of a role mostly the session''s name (Username)';
comment on column source.cloudtrail_lookup_event.user_arn is 'The caller''s ARN (userIdentity.arn)';
comment on column source.cloudtrail_lookup_event.principal_id is 'The caller''s unique id (userIdentity.principalId)';
comment on column source.cloudtrail_lookup_event.user_account_id is 'The caller''s account (userIdentity.accountId)';
comment on column source.cloudtrail_lookup_event.invoked_by is 'Service that made the request for the caller (userIdentity.invokedBy)';
comment on column source.cloudtrail_lookup_event.user_identifier is 'The caller: user_arn, else session_issuer_arn, else principal_id';
comment on column source.cloudtrail_lookup_event.session_issuer_arn is 'ARN of what issued the temporary credentials, mostly a role (userIdentity.sessionContext.sessionIssuer.arn)';
comment on column source.cloudtrail_lookup_event.session_issuer_name is 'Its name (userIdentity.sessionContext.sessionIssuer.userName)';
comment on column source.cloudtrail_lookup_event.mfa_authenticated is 'Whether the session was opened with a second factor (userIdentity.sessionContext.attributes.mfaAuthenticated)';
comment on column source.cloudtrail_lookup_event.user_identity is 'Who made the request (userIdentity)';
comment on column source.cloudtrail_lookup_event.request_parameters is 'What was asked for (requestParameters)';
comment on column source.cloudtrail_lookup_event.response_elements is 'What an action that changes something answered (responseElements)';
comment on column source.cloudtrail_lookup_event.additional_event_data is 'What is part of neither request nor answer (additionalEventData)';
comment on column source.cloudtrail_lookup_event.resources is 'Resources that the event touched (resources)';
comment on column source.cloudtrail_lookup_event.tls_details is 'TLS version, cipher suite and host name of the request (tlsDetails)';
comment on column source.cloudtrail_lookup_event.service_event_details is 'What started a service event, and its result (serviceEventDetails)';
comment on column source.cloudtrail_lookup_event.cloudtrail_event is 'The whole record';
comment on column source.cloudtrail_lookup_event.cloud_trail_event is 'The whole record, under Steampipe''s name (CloudTrailEvent)';
comment on column source.cloudtrail_lookup_event.resource_name is 'Asks for events that name this resource; NULL where none was given (LookupAttributes: ResourceName)';
comment on column source.cloudtrail_lookup_event.resource_type is 'Asks for events that name a resource of this type, such as AWS::IAM::User; NULL where none was given (LookupAttributes: ResourceType)';
comment on column source.cloudtrail_lookup_event.start_time is 'Asks for events from this time on; NULL where none was given (StartTime)';
comment on column source.cloudtrail_lookup_event.end_time is 'Asks for events up to this time; NULL where none was given (EndTime)';
comment on column source.cloudtrail_lookup_event.partition is 'aws, aws-cn or aws-us-gov: where it was asked';
comment on column source.cloudtrail_lookup_event.region is 'Region that was asked; the event''s own is aws_region';
comment on column source.cloudtrail_lookup_event.account_id is 'Account that was asked';
comment on column source.cloudtrail_lookup_event.connection_name is 'Connection of the configuration that it came through';

create or replace view public.cloudtrail_lookup_event as select * from source.cloudtrail_lookup_event;

-- Columns in the order of steampipe-plugin-aws.
create or replace view steampipe.aws_cloudtrail_lookup_event as
select
  event_id, event_name, event_source, event_time, read_only, username, access_key_id, aws_region, error_code,
  error_message, event_category, event_type, event_version, recipient_account_id, request_id, shared_event_id,
  source_ip_address, user_agent, user_type, user_identifier, vpc_endpoint_id, resource_name, resource_type, start_time,
  end_time, additional_event_data, cloud_trail_event, request_parameters, response_elements, resources, tls_details,
  user_identity, partition, region, account_id,
  connection_name as sp_connection_name,
  pg_catalog.jsonb_build_object('connection_name', connection_name) as sp_ctx,
  pg_catalog.jsonb_build_object('connection_name', connection_name) as _ctx
from source.cloudtrail_lookup_event;
