-- Static: what the categories in AbuseIPDB's reports mean.
create foreign table source.abuseipdb_category (
  id integer options (path 'id'),
  title text options (path 'title'),
  description text options (path 'description')
) server trailhound options (source 'abuseipdb_category', kind 'scan', ttl '0');
comment on foreign table source.abuseipdb_category is 'AbuseIPDB''s categories of reports; known without a call';
comment on column source.abuseipdb_category.id is 'As reports name it';
comment on column source.abuseipdb_category.title is 'AbuseIPDB''s own name of it';
comment on column source.abuseipdb_category.description is 'What addresses are reported for under it';

create or replace view public.abuseipdb_category as select * from source.abuseipdb_category;
