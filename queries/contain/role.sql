-- id: contain/role
-- title: What to run to end all sessions of a role
-- severity: info
-- mitre: T1078.004, T1550.001
-- tables: cloudtrail_trail_event
-- parameter: since interval = 30 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- parameter: role_name text required; the role's name
-- false positives: Everything that uses the role has to assume it again, which well-made applications do by
--   themselves.
-- next steps: Nothing is run: read each command, run it with credentials that may, in the order of step. Whoever may
--   still assume the role can: change its trust policy, too, where that is how it was taken.
-- references: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
-- references: https://docs.aws.amazon.com/security-ir/latest/userguide/containment.html
with used as (
  select distinct on (session_issuer_name, coalesce(e.user_account_id, e.recipient_account_id)) e.session_issuer_name, e.principal_id, e.event_time,
    coalesce(e.user_identifier, e.user_type) as principal, e.source_ip, coalesce(e.user_account_id, e.recipient_account_id) as account_id, e.aws_region as region,
    e.event_id
  from cloudtrail_trail_event e
  where e.session_issuer_name = nullif(current_setting('hunt.role_name', true), '')
    and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '30 days')::interval
    and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
  order by 1, coalesce(e.user_account_id, e.recipient_account_id), e.event_time desc, e.event_id
)
select
  e.event_time,
  'info' as severity,
  e.principal,
  s.action,
  e.session_issuer_name as resource,
  e.source_ip,
  e.account_id,
  e.region,
  e.event_id,
  trailhound.event_url(e.region, e.event_id) as console_url,
  jsonb_build_object('last_session', e.principal_id) as detail,
  s.step,
  s.command
from used e
cross join lateral (
  values
    (1, 'revoke sessions that exist',
      'aws iam put-role-policy --policy-name AWSRevokeOlderSessions --role-name ' || trailhound.shell_word(e.session_issuer_name)
        || ' --policy-document ' || trailhound.shell_word(trailhound.deny_policy(now()))),
    (2, 'see who may assume it',
      'aws iam get-role --query Role.AssumeRolePolicyDocument --role-name ' || trailhound.shell_word(e.session_issuer_name))
) as s(step, action, command)
order by e.account_id, s.step, e.event_id;
