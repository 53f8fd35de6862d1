-- GET /check, one call a key.
create foreign table source.abuseipdb_check_ip (
  ip_address inet options (key 'required', operators '=', path '@ip_address') not null,
  max_age_in_days integer options (key 'input', operators '=', path '@max_age_in_days', default '90'),
  abuse_confidence_score integer options (path 'abuseConfidenceScore'),
  country_code text options (path 'countryCode'),
  country_name text options (path 'countryName'),
  usage_type text options (path 'usageType'),
  isp text options (path 'isp'),
  domain text options (path 'domain'),
  hostnames text[] options (path 'hostnames'),
  ip_version integer options (path 'ipVersion'),
  is_public boolean options (path 'isPublic'),
  is_whitelisted boolean options (path 'isWhitelisted'),
  is_tor boolean options (path 'isTor'),
  total_reports integer options (path 'totalReports'),
  num_distinct_users integer options (path 'numDistinctUsers'),
  last_reported_at timestamptz options (path 'lastReportedAt'),
  reports jsonb options (path 'reports'),
  fetched_at timestamptz options (path '@fetched_at')
) server trailhound options (source 'abuseipdb_check', kind 'lookup', ttl '24 hours');
comment on foreign table source.abuseipdb_check_ip is 'An address''s reputation at AbuseIPDB, one call an address (GET /check)';
comment on column source.abuseipdb_check_ip.ip_address is 'The address that was asked for; a network equals no row';
comment on column source.abuseipdb_check_ip.max_age_in_days is 'Reports of how many days count, 1 to 365 (maxAgeInDays)';
comment on column source.abuseipdb_check_ip.abuse_confidence_score is 'From 0 to 100 (abuseConfidenceScore)';
comment on column source.abuseipdb_check_ip.country_code is 'ISO 3166 code of its country (countryCode)';
comment on column source.abuseipdb_check_ip.country_name is 'Its country (countryName)';
comment on column source.abuseipdb_check_ip.usage_type is 'What it is used for, such as Data Center/Web Hosting/Transit (usageType)';
comment on column source.abuseipdb_check_ip.isp is 'Its internet provider (isp)';
comment on column source.abuseipdb_check_ip.domain is 'The provider''s domain (domain)';
comment on column source.abuseipdb_check_ip.hostnames is 'Names that the address has (hostnames)';
comment on column source.abuseipdb_check_ip.ip_version is '4 or 6 (ipVersion)';
comment on column source.abuseipdb_check_ip.is_public is 'False for private, loopback and reserved addresses, which are answered without a call (isPublic)';
comment on column source.abuseipdb_check_ip.is_whitelisted is 'Whether AbuseIPDB trusts it; such an address may be abused, too (isWhitelisted)';
comment on column source.abuseipdb_check_ip.is_tor is 'Whether it is one of Tor''s (isTor)';
comment on column source.abuseipdb_check_ip.total_reports is 'Reports within max_age_in_days (totalReports)';
comment on column source.abuseipdb_check_ip.num_distinct_users is 'Who reported it, counted (numDistinctUsers)';
comment on column source.abuseipdb_check_ip.last_reported_at is 'When it was last reported (lastReportedAt)';
comment on column source.abuseipdb_check_ip.reports is 'The reports themselves; asked for only where this column is used (reports)';
comment on column source.abuseipdb_check_ip.fetched_at is 'When the answer came from AbuseIPDB';

create or replace view public.abuseipdb_check_ip as select * from source.abuseipdb_check_ip;

-- Columns in the order of steampipe-plugin-abuseipdb.
create or replace view steampipe.abuseipdb_check_ip as
select
  ip_address, abuse_confidence_score, country_code, domain, ip_version, is_public, is_whitelisted, isp,
  last_reported_at, max_age_in_days, num_distinct_users, reports, total_reports, usage_type,
  'abuseipdb'::pg_catalog.text as sp_connection_name,
  pg_catalog.jsonb_build_object('connection_name', 'abuseipdb') as sp_ctx,
  pg_catalog.jsonb_build_object('connection_name', 'abuseipdb') as _ctx
from source.abuseipdb_check_ip;
