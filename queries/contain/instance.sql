-- id: contain/instance
-- title: What to run to keep an instance's evidence and isolate it
-- severity: info
-- mitre: T1078.004, T1496
-- tables: cloudtrail_trail_event
-- parameter: since interval = 30 days; how far back to look
-- parameter: until interval = 0 days; how long ago to stop
-- parameter: instance_id text required; the instance's id
-- false positives: Connections that stand already are not cut by a security group where they are tracked: a network
--   ACL cuts them.
-- next steps: Nothing is run: read each command, run it with credentials that may, in the order of step. Step 1 comes
--   first: whatever else is done may destroy evidence.
-- references: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-security-groups.html
-- references: https://docs.aws.amazon.com/security-ir/latest/userguide/containment.html
with used as (
  select distinct on (e.recipient_account_id, e.aws_region)
    nullif(current_setting('hunt.instance_id', true), '') as instance_id,
    -- Of whichever call says it: the newest one rarely does.
    max(jsonb_path_query_first(e.response_elements, '$.**.vpcId') #>> '{}')
      over (partition by e.recipient_account_id, e.aws_region) as vpc_id,
    e.event_time, coalesce(e.user_identifier, e.user_type) as principal, e.source_ip, e.recipient_account_id as account_id,
    e.aws_region as region, e.event_id
  from cloudtrail_trail_event e
  where e.event_source = 'ec2.amazonaws.com'
    and e.event_name in ('ModifyInstanceAttribute', 'RebootInstances', 'RunInstances', 'StartInstances', 'StopInstances')
    and nullif(current_setting('hunt.instance_id', true), '') is not null
    and jsonb_path_exists(
      jsonb_build_array(e.request_parameters, e.response_elements), '$.**.instanceId ? (@ == $id)',
      jsonb_build_object('id', nullif(current_setting('hunt.instance_id', true), ''))
    )
    and e.event_time >= now() - coalesce(nullif(current_setting('hunt.since', true), ''), '30 days')::interval
    and e.event_time <= now() - coalesce(nullif(current_setting('hunt.until', true), ''), '0 days')::interval
  order by e.recipient_account_id, e.aws_region, e.event_time desc, e.event_id
)
select
  e.event_time,
  'info' as severity,
  e.principal,
  s.action,
  e.instance_id as resource,
  e.source_ip,
  e.account_id,
  e.region,
  e.event_id,
  trailhound.event_url(e.region, e.event_id) as console_url,
  jsonb_build_object('vpc_id', e.vpc_id) as detail,
  s.step,
  s.command
from used e
cross join lateral (
  values
    (1, 'keep an image, without a reboot that would clear its memory',
      'aws ec2 create-image --no-reboot --region ' || trailhound.shell_word(e.region) || ' --instance-id ' || trailhound.shell_word(e.instance_id)
        || ' --name ' || trailhound.shell_word('evidence-' || e.instance_id || to_char(now() at time zone 'UTC', '-YYYYMMDD-HH24MISS'))),
    (2, 'keep it from being terminated',
      'aws ec2 modify-instance-attribute --disable-api-termination --region ' || trailhound.shell_word(e.region)
        || ' --instance-id ' || trailhound.shell_word(e.instance_id)),
    (3, 'make a security group that denies everything',
      'SG=$(aws ec2 create-security-group --query GroupId --output text --group-name isolated --description isolated --region '
        || trailhound.shell_word(e.region) || ' --vpc-id '
        || coalesce(
          trailhound.shell_word(e.vpc_id),
          '"$(aws ec2 describe-instances --query "Reservations[0].Instances[0].VpcId" --output text --region '
            || trailhound.shell_word(e.region) || ' --instance-ids ' || trailhound.shell_word(e.instance_id) || ')"'
        )
        || ') && aws ec2 revoke-security-group-egress --region '
        || trailhound.shell_word(e.region) || ' --group-id "$SG" --ip-permissions '
        || trailhound.shell_word('[{"IpProtocol":"-1","IpRanges":[{"CidrIp":"0.0.0.0/0"}]}]')),
    (4, 'put the instance into it alone',
      'aws ec2 modify-instance-attribute --region ' || trailhound.shell_word(e.region) || ' --instance-id ' || trailhound.shell_word(e.instance_id)
        || ' --groups "$SG"')
) as s(step, action, command)
order by e.account_id, e.region, s.step;
