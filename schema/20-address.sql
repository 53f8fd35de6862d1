-- An address is what try_inet accepts, everywhere.

-- pg_input_is_valid() is declared stable because some types' input depends on settings; that of inet does not. Only
-- with an immutable one can try_inet be immutable and still be inlined (measured over 500,000 texts: 0.16 µs a call
-- inlined, 2 µs as a SQL function that is called, 0.5 µs in PL/pgSQL).
create or replace function trailhound.input_is_valid(value text, type_name text) returns boolean
language internal immutable strict parallel safe as 'pg_input_is_valid';
comment on function trailhound.input_is_valid(text, text) is 'pg_input_is_valid() for types whose input depends on no setting';

-- The cast stands around CASE: a cast of a constant inside it would be evaluated, and fail, while planning.
-- Not declared strict: PostgreSQL inlines a strict function only if all of its body is strict, and CASE is not.
create or replace function pg_catalog.try_inet(value text) returns inet
language sql immutable parallel safe
return (case when trailhound.input_is_valid($1, 'pg_catalog.inet') then $1 end)::pg_catalog.inet;
comment on function pg_catalog.try_inet(text) is 'The text as inet, NULL where it is not an address';

-- `inet = text` as people write it. Inlined, each becomes inet's own operator, so that indexes, hash joins and
-- statistics are those of inet. No HASHES or MERGES: text and inet do not hash alike.
create or replace function pg_catalog.inet_eq_text(inet, text) returns boolean
language sql immutable parallel safe return $1 operator(pg_catalog.=) pg_catalog.try_inet($2);
create or replace function pg_catalog.text_eq_inet(text, inet) returns boolean
language sql immutable parallel safe return pg_catalog.try_inet($1) operator(pg_catalog.=) $2;
create or replace function pg_catalog.inet_ne_text(inet, text) returns boolean
language sql immutable parallel safe return $1 operator(pg_catalog.<>) pg_catalog.try_inet($2);
create or replace function pg_catalog.text_ne_inet(text, inet) returns boolean
language sql immutable parallel safe return pg_catalog.try_inet($1) operator(pg_catalog.<>) $2;

do $$
begin
  if to_regoperator('pg_catalog.=(inet,text)') is null then
    create operator pg_catalog.= (leftarg = inet, rightarg = text, function = pg_catalog.inet_eq_text,
      commutator = operator(pg_catalog.=), negator = operator(pg_catalog.<>), restrict = eqsel, join = eqjoinsel);
    create operator pg_catalog.= (leftarg = text, rightarg = inet, function = pg_catalog.text_eq_inet,
      commutator = operator(pg_catalog.=), negator = operator(pg_catalog.<>), restrict = eqsel, join = eqjoinsel);
    create operator pg_catalog.<> (leftarg = inet, rightarg = text, function = pg_catalog.inet_ne_text,
      commutator = operator(pg_catalog.<>), negator = operator(pg_catalog.=), restrict = neqsel, join = neqjoinsel);
    create operator pg_catalog.<> (leftarg = text, rightarg = inet, function = pg_catalog.text_ne_inet,
      commutator = operator(pg_catalog.<>), negator = operator(pg_catalog.=), restrict = neqsel, join = neqjoinsel);
  end if;
end $$;
comment on operator pg_catalog.= (inet, text) is 'equal; a text that is not an address gives NULL';
comment on operator pg_catalog.= (text, inet) is 'equal; a text that is not an address gives NULL';
comment on operator pg_catalog.<> (inet, text) is 'not equal; a text that is not an address gives NULL';
comment on operator pg_catalog.<> (text, inet) is 'not equal; a text that is not an address gives NULL';

-- A key with a shorter mask than /32 or /128 is a network: it equals no address, so nothing is asked for it.
create or replace function trailhound.key_inet(value inet) returns inet
language sql immutable parallel safe
return case when pg_catalog.masklen($1) operator(pg_catalog.=)
  case pg_catalog.family($1) when 4 then 32 else 128 end then $1 end;
comment on function trailhound.key_inet(inet) is 'The address when it can be a look-up key, else NULL';
create or replace function trailhound.key_inet(value text) returns inet
language sql immutable parallel safe return trailhound.key_inet(pg_catalog.try_inet($1));
comment on function trailhound.key_inet(text) is 'The text as an address when it can be a look-up key, else NULL';
grant execute on function trailhound.key_inet(inet), trailhound.key_inet(text) to public;

-- A network with bits beyond its mask (1.2.3.4/24) is no cidr, and equals none.
create or replace function trailhound.key_cidr(value inet) returns cidr
language sql immutable parallel safe
return case when pg_catalog.network($1)::pg_catalog.inet operator(pg_catalog.=) $1 then pg_catalog.network($1) end;
comment on function trailhound.key_cidr(inet) is 'The network when it can be a look-up key, else NULL';
create or replace function trailhound.key_cidr(value text) returns cidr
language sql immutable parallel safe return trailhound.key_cidr(pg_catalog.try_inet($1));
comment on function trailhound.key_cidr(text) is 'The text as a network when it can be a look-up key, else NULL';
grant execute on function trailhound.key_cidr(inet), trailhound.key_cidr(text) to public;
