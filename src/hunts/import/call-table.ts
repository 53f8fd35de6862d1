/** What has the calls that CloudTrail records: log groups, the event history, files. */
export const CALL_TABLES = ['cloudtrail_trail_event', 'cloudtrail_lookup_event', 'cloudtrail_file_event'] as const;
export type CallTable = (typeof CALL_TABLES)[number];
