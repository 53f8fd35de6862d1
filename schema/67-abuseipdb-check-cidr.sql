-- GET /check-block, one call a network.
create foreign table source.abuseipdb_check_cidr (
  cidr cidr options (key 'required', operators '=', path '@cidr') not null,
  max_age_in_days integer options (key 'input', operators '=', path '@max_age_in_days', default '30'),
  ip_address inet options (path 'ipAddress'),
  num_reports integer options (path 'numReports'),
  abuse_confidence_score integer options (path 'abuseConfidenceScore'),
  country_code text options (path 'countryCode'),
  last_reported_at timestamptz options (key 'optional', operators '=,<,<=,>,>=', path 'mostRecentReport')
) server trailhound options (source 'abuseipdb_check_block', kind 'lookup', ttl '24 hours');
comment on foreign table source.abuseipdb_check_cidr is 'Addresses of a network that were reported to AbuseIPDB, one call a network (GET /check-block)';
comment on column source.abuseipdb_check_cidr.cidr is 'The network that was asked for (network)';
comment on column source.abuseipdb_check_cidr.max_age_in_days is 'Reports of how many days count, 1 to 365 (maxAgeInDays)';
comment on column source.abuseipdb_check_cidr.ip_address is 'An address of it that was reported (ipAddress)';
comment on column source.abuseipdb_check_cidr.num_reports is 'Reports within max_age_in_days (numReports)';
comment on column source.abuseipdb_check_cidr.abuse_confidence_score is 'From 0 to 100 (abuseConfidenceScore)';
comment on column source.abuseipdb_check_cidr.country_code is 'ISO 3166 code of its country (countryCode)';
comment on column source.abuseipdb_check_cidr.last_reported_at is 'When it was last reported (mostRecentReport)';

create or replace view public.abuseipdb_check_cidr as select * from source.abuseipdb_check_cidr;

-- Columns in the order of steampipe-plugin-abuseipdb.
create or replace view steampipe.abuseipdb_check_cidr as
select
  ip_address, abuse_confidence_score, cidr, country_code, last_reported_at, max_age_in_days, num_reports,
  'abuseipdb'::pg_catalog.text as sp_connection_name,
  pg_catalog.jsonb_build_object('connection_name', 'abuseipdb') as sp_ctx,
  pg_catalog.jsonb_build_object('connection_name', 'abuseipdb') as _ctx
from source.abuseipdb_check_cidr;
