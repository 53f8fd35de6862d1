/** The events of one log group, ordered by (timestamp, ingestion, arrival). Positions count from 0. */
export interface EventStore {
  readonly size: number;
  /** Names by number. */
  readonly streams: readonly string[];
  /** Bytes of all messages, for synthetic events about. */
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  timestamp(position: number): number;
  stream(position: number): number;
  message(position: number): string;
  /** Bytes of the message in UTF-8. */
  messageBytes(position: number): number;
  /** The whole FilteredLogEvent as JSON. */
  wire(position: number): string;
}

/** The first position whose timestamp is at least `timestamp`. */
export function lowerBound(store: EventStore, timestamp: number): number {
  let low = 0;
  let high = store.size;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (store.timestamp(middle) < timestamp) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** CloudWatch Logs' event ids have 56 decimal digits; these are unique among all log groups of a world. */
export function eventId(group: number, timestamp: number, arrival: number): string {
  const digits = (value: number, width: number): string => String(value).padStart(width, '0');
  return `3${digits(timestamp, 15)}${digits(group, 10)}${digits(arrival, 30)}`;
}
