-- What saved hunts share.

create or replace function trailhound.event_url(region text, event_id text) returns text
language sql immutable parallel safe
return 'https://' || region || '.console.aws.amazon.com/cloudtrailv2/home?region=' || region || '#/events/' || event_id;
comment on function trailhound.event_url(text, text) is 'The page of a management event in the console of CloudTrail, which keeps them for 90 days';
