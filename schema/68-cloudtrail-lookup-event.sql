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
comment on column source.cloudtrail_lookup_event.event_id is 'Id of the event (eventID); one that concerns several regions may come from each of them';
comment on column source.cloudtrail_lookup_event.username is 'The caller''s user or role name as the service gives it, of a role mostly the session''s name (Username)';
comment on column source.cloudtrail_lookup_event.cloud_trail_event is 'The whole record, under Steampipe''s name (CloudTrailEvent)';
comment on column source.cloudtrail_lookup_event.resource_name is 'Asks for events that name this resource; NULL where none was given (LookupAttributes: ResourceName)';
comment on column source.cloudtrail_lookup_event.resource_type is 'Asks for events that name a resource of this type, such as AWS::IAM::User; NULL where none was given (LookupAttributes: ResourceType)';
comment on column source.cloudtrail_lookup_event.start_time is 'Asks for events from this time on; NULL where none was given (StartTime)';
comment on column source.cloudtrail_lookup_event.end_time is 'Asks for events up to this time; NULL where none was given (EndTime)';
comment on column source.cloudtrail_lookup_event.partition is 'aws, aws-cn or aws-us-gov: where it was asked';
comment on column source.cloudtrail_lookup_event.region is 'Region that was asked; the event''s own is aws_region';
comment on column source.cloudtrail_lookup_event.account_id is 'Account that was asked';
select trailhound.comment_as('source.cloudtrail_lookup_event', 'source.cloudtrail_trail_event');

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
