/** How columns name what the source adds to a record. `timestamp_ms` is the same as `timestamp`. */
export const PATHS = {
  logGroupName: '@log_group_name',
  logStreamName: '@log_stream_name',
  filter: '@filter',
  timestamp: '@timestamp',
  eventTime: 'eventTime',
  partition: '@partition',
  region: '@region',
  accountId: '@account_id',
  connectionName: '@connection_name',
} as const;
