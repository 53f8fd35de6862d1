import { hash } from '../hash.ts';
import { readLines } from '../lines.ts';
import type { Delivery, LogEvents } from '../world.ts';
import { eventId } from './event-store.ts';
import type { EventStore } from './event-store.ts';
import { recordTime } from './record-time.ts';

/** CloudTrail: "typically delivers logs within an average of about 5 minutes of an API call", not guaranteed. */
const MAX_DELAY_MS = 15 * 60_000;
const FALLBACK_TIME = Date.UTC(2024, 0, 1);
const MAX_INGESTION_MS = 5_000;

interface LoadedEvent {
  readonly timestamp: number;
  readonly ingestionTime: number;
  readonly arrival: number;
  readonly stream: number;
  readonly bytes: number;
  readonly wire: string;
}

/** By the stream's number. */
export type StreamNames = (stream: number) => string;

/** Events of records that stand in files or in memory, kept as the JSON that is sent. */
export async function loadEvents(
  source: Exclude<LogEvents, { synthetic: unknown }>,
  group: number,
  streamName: StreamNames,
): Promise<EventStore> {
  const loader = new Loader(source.delivery ?? {}, group, streamName);
  if ('files' in source) {
    for (const path of source.files) {
      loader.startStream();
      for await (const line of readLines(path)) loader.add(line);
    }
  } else {
    loader.startStream();
    for (const record of source.records) loader.add(typeof record === 'string' ? record : JSON.stringify(record));
  }
  return loader.finish();
}

class Loader {
  readonly #delivery: Delivery;
  readonly #group: number;
  readonly #streamName: StreamNames;
  readonly #streams: string[] = [];
  readonly #events: LoadedEvent[] = [];
  #lastEventTime: number;

  constructor(delivery: Delivery, group: number, streamName: StreamNames) {
    this.#delivery = delivery;
    this.#group = group;
    this.#streamName = streamName;
    this.#lastEventTime = delivery.fallbackTime ?? FALLBACK_TIME;
  }

  startStream(): void {
    this.#streams.push(this.#streamName(this.#streams.length));
  }

  add(message: string): void {
    const arrival = this.#events.length;
    const stream = this.#streams.length - 1;
    this.#lastEventTime = recordTime(message) ?? this.#lastEventTime;
    const maxDelay = this.#delivery.maxDelayMs ?? MAX_DELAY_MS;
    const drawn = hash(`${arrival}:${message.length}`);
    const timestamp = this.#lastEventTime + (drawn % (maxDelay + 1));
    const ingestionTime = timestamp + (drawn % MAX_INGESTION_MS);
    this.#events.push({
      timestamp,
      ingestionTime,
      arrival,
      stream,
      bytes: Buffer.byteLength(message),
      wire: JSON.stringify({
        logStreamName: this.#streams[stream],
        timestamp,
        message,
        ingestionTime,
        eventId: eventId(this.#group, timestamp, arrival),
      }),
    });
  }

  finish(): EventStore {
    this.#events.sort(
      (a, b) => a.timestamp - b.timestamp || a.ingestionTime - b.ingestionTime || a.arrival - b.arrival,
    );
    return new LoadedEvents(this.#streams, this.#events);
  }
}

class LoadedEvents implements EventStore {
  readonly streams: readonly string[];
  readonly #events: readonly LoadedEvent[];

  constructor(streams: readonly string[], events: readonly LoadedEvent[]) {
    this.streams = streams;
    this.#events = events;
  }

  get size(): number {
    return this.#events.length;
  }

  get bytes(): number {
    return this.#events.reduce((sum, event) => sum + event.bytes, 0);
  }

  timestamp(position: number): number {
    return this.#at(position).timestamp;
  }

  stream(position: number): number {
    return this.#at(position).stream;
  }

  message(position: number): string {
    return (JSON.parse(this.wire(position)) as { message: string }).message;
  }

  messageBytes(position: number): number {
    return this.#at(position).bytes;
  }

  wire(position: number): string {
    return this.#at(position).wire;
  }

  #at(position: number): LoadedEvent {
    const event = this.#events[position];
    if (event === undefined) throw new RangeError(`no event at position ${position}`);
    return event;
  }
}
