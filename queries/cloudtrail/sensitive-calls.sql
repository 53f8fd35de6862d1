-- id: cloudtrail/sensitive-calls
-- title: Calls that change who may do what, or what is reachable
-- severity: medium
-- mitre: T1098, T1136.003, T1562.007
-- tables: cloudtrail_trail_event
-- parameter: since interval = 7 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- watch: 1 day
-- false positives: Infrastructure as code makes such calls all day: name its roles in hunts.known. What is left are
--   people and keys.
-- next steps: Begin with what failed and then succeeded, with keys made for other users, with policies that allow
--   "*", and with security groups opened to 0.0.0.0/0.
-- references: https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
-- references: https://attack.mitre.org/techniques/T1098/
select
  e.event_time,
  'medium' as severity,
  coalesce(e.user_identifier, e.user_type) as principal,
  e.event_name as action,
  coalesce(
    e.request_parameters ->> 'userName', e.request_parameters ->> 'roleName', e.request_parameters ->> 'groupName',
    e.request_parameters ->> 'policyArn', e.request_parameters ->> 'policyName', e.request_parameters ->> 'groupId'
  ) as resource,
  e.source_ip,
  e.recipient_account_id as account_id,
  e.aws_region as region,
  e.event_id,
  trailhound.event_url(e.aws_region, e.event_id) as console_url,
  jsonb_build_object(
    'request_parameters', e.request_parameters,
    'mfa_authenticated', e.mfa_authenticated,
    'source_ip_address', e.source_ip_address,
    'user_agent', e.user_agent,
    'error_code', e.error_code,
    'access_key_id', e.access_key_id
  ) as detail
from cloudtrail_trail_event e
where (
    e.event_source = 'iam.amazonaws.com' and e.event_name in (
      'AttachGroupPolicy', 'AttachRolePolicy', 'AttachUserPolicy', 'ChangePassword', 'CreateAccessKey', 'CreateGroup',
      'CreateLoginProfile', 'CreatePolicy', 'CreateRole', 'CreateUser', 'DeleteAccessKey', 'DeleteGroup',
      'DeleteGroupPolicy', 'DeletePolicy', 'DeleteRole', 'DeleteRolePolicy', 'DeleteUser', 'DeleteUserPolicy',
      'DetachGroupPolicy', 'DetachRolePolicy', 'DetachUserPolicy', 'PutGroupPolicy', 'PutRolePolicy', 'PutUserPolicy'
    )
    or e.event_source = 'ec2.amazonaws.com' and e.event_name in (
      'AuthorizeSecurityGroupIngress', 'AuthorizeSecurityGroupEgress', 'RevokeSecurityGroupIngress',
      'RevokeSecurityGroupEgress'
    )
  )
  and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '7 days')::interval
  and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
order by e.event_time desc, e.event_id;
