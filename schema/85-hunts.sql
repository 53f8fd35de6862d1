-- What saved hunts share.

create or replace function trailhound.event_url(region text, event_id text) returns text
language sql immutable parallel safe
return 'https://' || region || '.console.aws.amazon.com/cloudtrailv2/home?region=' || region || '#/events/' || event_id;
comment on function trailhound.event_url(text, text) is 'The page of a management event in the console of CloudTrail, which keeps them for 90 days';

-- Hunts that print commands put values of others' making into them: each is one word of a POSIX shell, whatever is in it.
create or replace function trailhound.shell_word(value text) returns text
language sql immutable strict parallel safe
return '''' || pg_catalog.replace(value, '''', '''\''''') || '''';
comment on function trailhound.shell_word(text) is 'The text as one word of a POSIX shell, quoted';
