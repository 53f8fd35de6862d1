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

-- The same for other comparisons of what a clock shows (`date_trunc('hour', event_time)`, `event_time at time zone
-- 'Europe/Berlin'`), in which a clock may also be cut to a unit, that is, be late by so many hours. What no instant can
-- be, or only in years that no event has, is infinite: PostgreSQL compares such values, but does not convert them.
create or replace function trailhound.bounded_instant(value timestamptz) returns timestamptz
language sql immutable strict parallel safe
return case
  when value operator(pg_catalog.<) pg_catalog.make_timestamptz(1, 1, 1, 0, 0, 0, 'UTC') then '-infinity'::pg_catalog.timestamptz
  when value operator(pg_catalog.>) pg_catalog.make_timestamptz(9999, 1, 1, 0, 0, 0, 'UTC') then 'infinity'::pg_catalog.timestamptz
  else value end;
create or replace function trailhound.bounded_clock(value timestamp) returns timestamp
language sql immutable strict parallel safe
return case
  when value operator(pg_catalog.<) pg_catalog.make_timestamp(1, 1, 1, 0, 0, 0) then '-infinity'::pg_catalog.timestamp
  when value operator(pg_catalog.>) pg_catalog.make_timestamp(9999, 1, 1, 0, 0, 0) then 'infinity'::pg_catalog.timestamp
  else value end;
create or replace function trailhound.bounded_clock(value date) returns timestamp
language sql immutable strict parallel safe
return case
  when value operator(pg_catalog.<) pg_catalog.make_date(1, 1, 1) then '-infinity'::pg_catalog.timestamp
  when value operator(pg_catalog.>) pg_catalog.make_date(9999, 1, 1) then 'infinity'::pg_catalog.timestamp
  else value::pg_catalog.timestamp end;
create or replace function trailhound.bounded_clock(value timestamptz) returns timestamp
language sql stable strict parallel safe
return trailhound.bounded_instant(value)::pg_catalog.timestamp;
create or replace function trailhound.bounded_instant(value timestamp) returns timestamptz
language sql stable strict parallel safe
return trailhound.bounded_clock(value)::pg_catalog.timestamptz;
create or replace function trailhound.bounded_instant(value date) returns timestamptz
language sql stable strict parallel safe
return trailhound.bounded_clock(value)::pg_catalog.timestamptz;
comment on function trailhound.bounded_instant(timestamptz) is 'The instant, infinite before year 1 and after year 9999';
comment on function trailhound.bounded_instant(timestamp) is 'The same of what the session''s clock shows';
comment on function trailhound.bounded_instant(date) is 'The same of when the session''s day begins';
comment on function trailhound.bounded_clock(timestamp) is 'What a clock shows, infinite before year 1 and after year 9999';
comment on function trailhound.bounded_clock(date) is 'The same of when a day begins';
comment on function trailhound.bounded_clock(timestamptz) is 'The same of what the session''s clock shows at an instant';

-- A name that is no zone fails only once there is a row: it must bound nothing.
create or replace function trailhound.instant_of_clock(clock timestamp, zone text, otherwise timestamptz) returns timestamptz
language sql stable strict parallel safe
return case
  when zone operator(pg_catalog.~*) '^(UTC|(Africa|America|Antarctica|Asia|Atlantic|Australia|Etc|Europe|Indian|Pacific)(/[a-z0-9_+-]+)+)$'
    and pg_catalog.pg_input_is_valid('2000-01-01 00:00:00 ' operator(pg_catalog.||) zone, 'timestamp with time zone')
  then pg_catalog.timezone(zone, clock)
  else otherwise end;
comment on function trailhound.instant_of_clock(timestamp, text, timestamptz) is 'An instant at which a zone''s clock shows this';
create or replace function trailhound.first_instant(value timestamptz, margin interval) returns timestamptz
language sql immutable strict parallel safe
return case value
  when 'infinity'::pg_catalog.timestamptz then pg_catalog.make_timestamptz(9998, 1, 1, 0, 0, 0, 'UTC')
  else value operator(pg_catalog.-) margin end;
create or replace function trailhound.last_instant(value timestamptz, late_hours integer, margin interval) returns timestamptz
language sql immutable strict parallel safe
return case value
  when '-infinity'::pg_catalog.timestamptz then pg_catalog.make_timestamptz(3, 1, 1, 0, 0, 0, 'UTC')
  else value operator(pg_catalog.+) pg_catalog.make_interval(hours => late_hours) operator(pg_catalog.+) margin end;
comment on function trailhound.first_instant(timestamptz, interval) is 'No instant before it has this value or a later one';
comment on function trailhound.last_instant(timestamptz, integer, interval) is 'No instant after it has this value or an earlier one';

grant execute on function trailhound.bounded_instant(timestamptz), trailhound.bounded_instant(timestamp),
  trailhound.bounded_instant(date), trailhound.bounded_clock(timestamptz), trailhound.bounded_clock(timestamp),
  trailhound.bounded_clock(date), trailhound.instant_of_clock(timestamp, text, timestamptz),
  trailhound.first_instant(timestamptz, interval), trailhound.last_instant(timestamptz, integer, interval) to public;
