-- How values become keys of other types than addresses: as the statement's own comparison reads them.

-- A collation under which different texts are equal would make a text stand for others, which are no keys then. Its name
-- is one that means something on the caller's search_path.
create or replace function trailhound.is_bytewise(collation_name text) returns boolean
language plpgsql stable parallel safe as $$
begin
  if exists (select from pg_catalog.pg_collation c
    where c.oid operator(pg_catalog.=) pg_catalog.to_regcollation(collation_name)::pg_catalog.oid and not c.collisdeterministic)
  then
    perform trailhound.raise('0A000', 'keys cannot be compared under a nondeterministic collation', null,
      pg_catalog.format('Compare them under another collation than %s, as in: key = value collate "C".', collation_name));
  end if;
  return true;
end $$;
comment on function trailhound.is_bytewise(text) is 'Whether only the same texts are equal under a collation; fails where not';

-- Its text is parsed where it is called: only so it has the collation of its argument.
create or replace function trailhound.key_text(value text) returns text language sql stable parallel safe as $$
select case when coalesce(pg_catalog.pg_collation_for($1), '"default"') operator(pg_catalog.=) '"default"'
    or trailhound.is_bytewise(pg_catalog.pg_collation_for($1)) then $1 end
$$;
comment on function trailhound.key_text(text) is 'The text as a look-up key';
create or replace function trailhound.key_text(value inet) returns text language plpgsql stable parallel safe as $$
begin
  perform trailhound.raise('0A000', 'an address cannot be a key of type text', null,
    'Texts that are written otherwise may be the same address: compare the text itself, as in: key = host(address).');
end $$;
comment on function trailhound.key_text(inet) is 'Fails: an address has many texts';

create or replace function trailhound.key_bigint(value bigint) returns bigint
language sql immutable parallel safe return $1;
comment on function trailhound.key_bigint(bigint) is 'The number as a look-up key';
-- Literals: no other text can be compared with a number.
create or replace function trailhound.key_bigint(value text) returns bigint
language sql immutable parallel safe return $1::pg_catalog.int8;
comment on function trailhound.key_bigint(text) is 'The literal as a look-up key';
create or replace function trailhound.key_bigint(value numeric) returns bigint
language sql immutable parallel safe
return case when $1 operator(pg_catalog.>=) (-9223372036854775808)::pg_catalog.numeric and $1 operator(pg_catalog.<=) 9223372036854775807::pg_catalog.numeric
  then case when pg_catalog.trunc($1) operator(pg_catalog.=) $1 then $1::pg_catalog.int8 end end;
comment on function trailhound.key_bigint(numeric) is 'The number when it can be a look-up key, else NULL';
-- Beyond 2^53 one such number equals many whole ones.
create or replace function trailhound.key_bigint(value double precision) returns bigint
language plpgsql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
begin
  if value is null or value <> trunc(value) or value in ('NaN', 'Infinity', '-Infinity') then return null; end if;
  if abs(value) > 9007199254740992 then
    perform trailhound.raise('0A000', 'a number of this size is too inexact to be a key', null, 'Compare the key with a bigint or a numeric.');
  end if;
  return value::bigint;
end $$;
comment on function trailhound.key_bigint(double precision) is 'The number when it can be a look-up key, else NULL';
grant execute on function trailhound.is_bytewise(text), trailhound.key_text(text), trailhound.key_text(inet),
  trailhound.key_bigint(bigint), trailhound.key_bigint(text), trailhound.key_bigint(numeric), trailhound.key_bigint(double precision) to public;
