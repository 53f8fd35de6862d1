-- id: contain/user
-- title: What to run to stop a user
-- severity: info
-- mitre: T1078.004
-- tables: cloudtrail_trail_event
-- parameter: since interval = 30 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- parameter: user_name text required; the user's name
-- false positives: A user whose key an application has: it stops.
-- next steps: Nothing is run: read each command, run it with credentials that may, in the order of step. A deny
--   policy also ends what is done with sessions that the user has made already; deleting the user would destroy
--   evidence.
-- references: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_users_manage.html
-- references: https://docs.aws.amazon.com/security-ir/latest/userguide/containment.html
with used as (
  select distinct on (username, coalesce(e.user_account_id, e.recipient_account_id)) e.username, e.access_key_id, e.event_time,
    coalesce(e.user_identifier, e.user_type) as principal, e.source_ip, coalesce(e.user_account_id, e.recipient_account_id) as account_id, e.aws_region as region,
    e.event_id
  from cloudtrail_trail_event e
  where e.username = nullif(current_setting('hunt.user_name', true), '')
    and e.user_type = 'IAMUser'
    and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '30 days')::interval
    and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
  order by 1, coalesce(e.user_account_id, e.recipient_account_id), e.event_time desc, e.event_id
)
select
  e.event_time,
  'info' as severity,
  e.principal,
  s.action,
  e.username as resource,
  e.source_ip,
  e.account_id,
  e.region,
  e.event_id,
  trailhound.event_url(e.region, e.event_id) as console_url,
  jsonb_build_object('last_access_key_id', e.access_key_id) as detail,
  s.step,
  s.command
from used e
cross join lateral (
  values
    (1, 'deny everything',
      'aws iam put-user-policy --policy-name DenyAll --user-name ' || trailhound.shell_word(e.username)
        || ' --policy-document ' || trailhound.shell_word(trailhound.deny_policy(null))),
    (2, 'take the password away', 'aws iam delete-login-profile --user-name ' || trailhound.shell_word(e.username)),
    (3, 'see which keys to deactivate', 'aws iam list-access-keys --user-name ' || trailhound.shell_word(e.username))
) as s(step, action, command)
order by e.account_id, s.step, e.event_id;
