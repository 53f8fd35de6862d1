-- id: contain/key
-- title: What to run to deactivate an access key
-- severity: info
-- mitre: T1078.004
-- tables: cloudtrail_trail_event
-- parameter: since interval = 30 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- parameter: access_key_id text required; the key that leaked
-- false positives: A key that something important runs with: it stops. That is meant so, but know it before.
-- next steps: Nothing is run: read each command, run it with credentials that may, in the order of step. Then
--   investigate/key shows what the key made.
-- references: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html
-- references: https://docs.aws.amazon.com/security-ir/latest/userguide/containment.html
with used as (
  select distinct on (access_key_id) e.access_key_id, e.username, e.session_issuer_name, e.user_type, e.event_time,
    coalesce(e.user_identifier, e.user_type) as principal, e.source_ip, coalesce(e.user_account_id, e.recipient_account_id) as account_id, e.aws_region as region,
    e.event_id
  from cloudtrail_trail_event e
  where e.access_key_id = nullif(current_setting('hunt.access_key_id', true), '')
    and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '30 days')::interval
    and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
  order by 1, e.event_time desc, e.event_id
)
select
  e.event_time,
  'info' as severity,
  e.principal,
  s.action,
  e.access_key_id as resource,
  e.source_ip,
  e.account_id,
  e.region,
  e.event_id,
  trailhound.event_url(e.region, e.event_id) as console_url,
  jsonb_build_object('user_type', e.user_type) as detail,
  s.step,
  s.command
from used e
cross join lateral (
  values
    (1, 'deactivate the key',
      case when e.access_key_id like 'AKIA%' and e.username is not null then
        'aws iam update-access-key --status Inactive --access-key-id ' || trailhound.shell_word(e.access_key_id)
          || ' --user-name ' || trailhound.shell_word(e.username)
      end),
    (1, 'revoke the sessions of the role',
      case when e.access_key_id like 'ASIA%' and e.session_issuer_name is not null then
        'aws iam put-role-policy --policy-name AWSRevokeOlderSessions --role-name ' || trailhound.shell_word(e.session_issuer_name)
          || ' --policy-document ' || trailhound.shell_word(trailhound.deny_policy(now()))
      end),
    (1, 'revoke the sessions of the user',
      case when e.access_key_id like 'ASIA%' and e.session_issuer_name is null and e.username is not null then
        'aws iam put-user-policy --policy-name AWSRevokeOlderSessions --user-name ' || trailhound.shell_word(e.username)
          || ' --policy-document ' || trailhound.shell_word(trailhound.deny_policy(now()))
      end),
    -- The root user's, and those of events that do not say.
    (1, 'see whose it is: the log says neither user nor role',
      case when e.username is null and e.session_issuer_name is null then
        'aws sts get-access-key-info --access-key-id ' || trailhound.shell_word(e.access_key_id)
      end),
    (2, 'see which other keys the user has',
      case when e.username is not null then 'aws iam list-access-keys --user-name ' || trailhound.shell_word(e.username) end)
) as s(step, action, command)
where s.command is not null
order by s.step, s.action, e.event_id;
