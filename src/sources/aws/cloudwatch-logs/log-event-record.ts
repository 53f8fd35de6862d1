import type { SourceRecord } from '../../source.ts';
import { SourceError } from '../../source.ts';
import { parseLoggedRecord } from '../../trail-record.ts';
import type { FilteredLogEvent } from '../clients/logs.ts';
import type { Target } from './targets.ts';

/** Makes the records of one log group. Runs for millions of events. */
export type RecordOf = (event: FilteredLogEvent) => SourceRecord;

export function recordMaker(target: Target, filter: string | undefined): RecordOf {
  const { logGroupName, partition, region, accountId, connection } = target;
  const connectionName = connection.name;
  return (event) => {
    const message = event.message ?? '';
    const record = parseLoggedRecord(message);
    if (record === undefined) throw unreadable(target, event);
    return {
      value: record.value,
      added: {
        log_group_name: logGroupName,
        log_stream_name: event.logStreamName,
        timestamp: event.timestamp,
        filter,
        partition,
        region,
        account_id: accountId,
        connection_name: connectionName,
      },
      text: record.text,
      origin: () => originOf(target, event),
    };
  };
}

function originOf({ logGroupName, region }: Target, { eventId, logStreamName }: FilteredLogEvent): string {
  return `event ${eventId ?? '?'} of log group ${logGroupName} in ${region}, log stream ${logStreamName ?? '?'}`;
}

function unreadable(target: Target, event: FilteredLogEvent): SourceError {
  return new SourceError(
    'nonsense',
    target.connection.name,
    `log group ${target.logGroupName} holds an event that is no JSON object`,
    {
      detail: `It is ${originOf(target, event)}.`,
      hint: 'Name a log group that CloudTrail delivers to in log_group_name, or leave such events out by a filter pattern in filter.',
    },
  );
}
