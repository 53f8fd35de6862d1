-- Ranges of instants for conditions on what a clock shows (`event_time::date = '2026-11-20'`), for sources to leave out
-- events by. PostgreSQL keeps the condition itself, so that these may be wider, and must never be narrower.

-- A clock may be set forwards or back: by an hour each year, by a whole day where the date line moved (Pacific/Apia 2011,
-- Alaska 1867). So the instant at which a day begins by the zone's rules may lie that far from others of the same day,
-- and a day on each side holds them all. Only a zone that somebody spells out himself may jump further, as
-- `AAA-99BBB+99`, but never by more than twice the 167 hours that PostgreSQL allows.
create or replace function trailhound.clock_margin(zone text) returns interval
language sql immutable strict parallel safe
return pg_catalog.make_interval(hours => case
  when zone operator(pg_catalog.=) any (array['UTC', 'Etc/UTC']) then 0
  when zone operator(pg_catalog.~) '[0-9]{2}.*[[:alpha:]<]' then 336
  else 24 end);
comment on function trailhound.clock_margin(text) is 'How far an instant may lie from where a zone''s clock says';

-- A date may lie where no instant does: what is beyond these years becomes a bound that is wider.
create or replace function trailhound.first_instant(day date) returns timestamptz
language sql stable strict parallel safe
return case
  when day operator(pg_catalog.<) pg_catalog.make_date(1, 1, 1) then '-infinity'::pg_catalog.timestamptz
  when day operator(pg_catalog.>) pg_catalog.make_date(9999, 1, 1) then
    pg_catalog.make_timestamptz(9999, 1, 1, 0, 0, 0, 'UTC') operator(pg_catalog.-) pg_catalog.make_interval(days => 1)
  else day::pg_catalog.timestamptz operator(pg_catalog.-) trailhound.clock_margin(pg_catalog.current_setting('TimeZone'))
end;
comment on function trailhound.first_instant(date) is 'No instant before it has this date or a later one in the session''s time zone';

create or replace function trailhound.last_instant(day date) returns timestamptz
language sql stable strict parallel safe
return case
  when day operator(pg_catalog.>) pg_catalog.make_date(9999, 1, 1) then 'infinity'::pg_catalog.timestamptz
  else (greatest(day, pg_catalog.make_date(1, 1, 1)) operator(pg_catalog.+) 1)::pg_catalog.timestamptz
    operator(pg_catalog.+) trailhound.clock_margin(pg_catalog.current_setting('TimeZone'))
    operator(pg_catalog.-) pg_catalog.make_interval(secs => 0.000001)
end;
comment on function trailhound.last_instant(date) is 'No instant after it has this date or an earlier one in the session''s time zone';

grant execute on function trailhound.clock_margin(text), trailhound.first_instant(date), trailhound.last_instant(date)
  to public;
