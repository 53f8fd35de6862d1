-- GET /blacklist, one call; a free key has five a day.
create foreign table source.abuseipdb_blacklist (
  ip_address inet options (path 'ipAddress'),
  abuse_confidence_score integer options (key 'optional', operators '=,<,<=,>,>=', path 'abuseConfidenceScore'),
  country_code text options (path 'countryCode'),
  last_reported_at timestamptz options (path 'lastReportedAt'),
  confidence_minimum integer options (key 'input', operators '=', path '@confidence_minimum', default '90')
) server trailhound options (source 'abuseipdb_blacklist', kind 'scan', ttl '6 hours');
comment on foreign table source.abuseipdb_blacklist is 'The addresses most reported to AbuseIPDB (GET /blacklist)';
comment on column source.abuseipdb_blacklist.ip_address is 'The address (ipAddress)';
comment on column source.abuseipdb_blacklist.abuse_confidence_score is 'From 25 to 100 (abuseConfidenceScore)';
comment on column source.abuseipdb_blacklist.country_code is 'ISO 3166 code of its country (countryCode)';
comment on column source.abuseipdb_blacklist.last_reported_at is 'When it was last reported (lastReportedAt)';
comment on column source.abuseipdb_blacklist.confidence_minimum is 'The least score that is asked for, 25 to 100 (confidenceMinimum)';

create or replace view public.abuseipdb_blacklist as select * from source.abuseipdb_blacklist;

-- Columns in the order of steampipe-plugin-abuseipdb.
create or replace view steampipe.abuseipdb_deny as
select
  ip_address, abuse_confidence_score, last_reported_at, confidence_minimum,
  'abuseipdb'::pg_catalog.text as sp_connection_name,
  pg_catalog.jsonb_build_object('connection_name', 'abuseipdb') as sp_ctx,
  pg_catalog.jsonb_build_object('connection_name', 'abuseipdb') as _ctx
from source.abuseipdb_blacklist;
