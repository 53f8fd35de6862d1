-- GET /reports, all pages of an address.
create foreign table source.abuseipdb_report (
  ip_address inet options (key 'required', operators '=', path '@ip_address') not null,
  max_age_in_days integer options (key 'input', operators '=', path '@max_age_in_days', default '30'),
  reported_at timestamptz options (key 'optional', operators '=,<,<=,>,>=', path 'reportedAt'),
  comment text options (path 'comment'),
  categories integer[] options (path 'categories'),
  reporter_id bigint options (path 'reporterId'),
  reporter_country_code text options (path 'reporterCountryCode')
) server trailhound options (source 'abuseipdb_reports', kind 'lookup', ttl '24 hours');
comment on foreign table source.abuseipdb_report is 'Reports of an address at AbuseIPDB, one call for 100 of them (GET /reports)';
comment on column source.abuseipdb_report.ip_address is 'The address that was asked for; a network equals no row';
comment on column source.abuseipdb_report.max_age_in_days is 'Reports of how many days, 1 to 365 (maxAgeInDays)';
comment on column source.abuseipdb_report.reported_at is 'When it was reported (reportedAt)';
comment on column source.abuseipdb_report.comment is 'What the reporter said: whatever the reporter wrote (comment)';
comment on column source.abuseipdb_report.categories is 'What for: ids of abuseipdb_category (categories)';
comment on column source.abuseipdb_report.reporter_id is 'Who reported it (reporterId)';
comment on column source.abuseipdb_report.reporter_country_code is 'ISO 3166 code of the reporter''s country (reporterCountryCode)';

create or replace view public.abuseipdb_report as select * from source.abuseipdb_report;
