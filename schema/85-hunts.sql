-- What saved hunts share.

-- A region comes out of records that others write: what is none would make it a link to another host.
create or replace function trailhound.event_url(region text, event_id text) returns text
language sql immutable parallel safe
return case when region ~ '^[a-z0-9-]+$' then
  'https://' || region || '.console.aws.amazon.com/cloudtrailv2/home?region=' || region || '#/events/' || event_id end;
comment on function trailhound.event_url(text, text) is 'The page of a management event in the console of CloudTrail, which keeps them for 90 days';

-- Hunts that print commands put values of others' making into them: each is one word of a POSIX shell, whatever is in it.
create or replace function trailhound.shell_word(value text) returns text
language sql immutable strict parallel safe
return '''' || pg_catalog.replace(value, '''', '''\''''') || '''';
comment on function trailhound.shell_word(text) is 'The text as one word of a POSIX shell, quoted';

create or replace function trailhound.deny_policy(issued_before timestamptz) returns text
language sql stable parallel safe
return pg_catalog.jsonb_build_object('Version', '2012-10-17', 'Statement', pg_catalog.jsonb_build_array(
  pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('Effect', 'Deny', 'Action', '*', 'Resource', '*', 'Condition',
    case when issued_before is not null then pg_catalog.jsonb_build_object('DateLessThan', pg_catalog.jsonb_build_object(
      'aws:TokenIssueTime', pg_catalog.to_char(issued_before at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))) end))))::pg_catalog.text;
comment on function trailhound.deny_policy(timestamptz) is 'An IAM policy that denies everything, to sessions issued before the time where one is given';
