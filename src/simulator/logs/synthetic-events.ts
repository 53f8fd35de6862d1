import { eventId } from './event-store.ts';
import type { EventStore } from './event-store.ts';

export interface SyntheticEventsOptions {
  readonly count: number;
  /** Milliseconds since the epoch: the first event's time; the last one's is before `to`. */
  readonly from: number;
  readonly to: number;
  /** Distinct public addresses among the callers, spread evenly; 1,000 by default. */
  readonly addresses?: number | undefined;
}

/** A log event's timestamp is this much later than its record's eventTime. */
export const SYNTHETIC_DELAY_MS = 90_000;

/** eventName, eventSource, readOnly; the first ones are the most frequent, as in real trails. */
const CALLS = [
  ['AssumeRole', 'sts.amazonaws.com', true],
  ['DescribeInstances', 'ec2.amazonaws.com', true],
  ['ListBuckets', 's3.amazonaws.com', true],
  ['AssumeRole', 'sts.amazonaws.com', true],
  ['GetCallerIdentity', 'sts.amazonaws.com', true],
  ['DescribeInstances', 'ec2.amazonaws.com', true],
  ['Decrypt', 'kms.amazonaws.com', true],
  ['GetBucketAcl', 's3.amazonaws.com', true],
  ['AssumeRole', 'sts.amazonaws.com', true],
  ['DescribeLogGroups', 'logs.amazonaws.com', true],
  ['CreateLogStream', 'logs.amazonaws.com', false],
  ['GetSecretValue', 'secretsmanager.amazonaws.com', true],
  ['RunInstances', 'ec2.amazonaws.com', false],
  ['ConsoleLogin', 'signin.amazonaws.com', false],
  ['PutObject', 's3.amazonaws.com', false],
  ['CreateUser', 'iam.amazonaws.com', false],
] as const;

const TIME = '@@TIME@@';
const ADDRESS = '@@ADDRESS@@';
const SERIAL = '@@SERIAL@@';

/** One kind of record in pieces, between which time, address and serial number are put. */
interface Template {
  readonly message: readonly Piece[];
  /** The message as it stands in the JSON of a FilteredLogEvent, quotes included. */
  readonly escaped: readonly Piece[];
  /** Of the message. */
  readonly bytesWithoutAddress: number;
}

type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'time' }
  | { readonly kind: 'address' }
  | { readonly kind: 'serial' };

/** Records of about 1.2 KB, each a function of its position: a million of them need no memory. */
export class SyntheticEvents implements EventStore {
  readonly size: number;
  readonly streams: readonly string[];
  readonly #from: number;
  readonly #step: number;
  readonly #addresses: number;
  readonly #group: number;
  readonly #templates: readonly Template[];
  #second = Number.NaN;
  #secondText = '';

  constructor(options: SyntheticEventsOptions, group: number, accountId: string, region: string, streamName: string) {
    this.size = options.count;
    this.streams = [streamName];
    this.#from = options.from;
    this.#step = (options.to - options.from) / Math.max(options.count, 1);
    this.#addresses = options.addresses ?? 1_000;
    this.#group = group;
    this.#templates = CALLS.map(([name, source, readOnly]) => template(name, source, readOnly, accountId, region));
  }

  get bytes(): number {
    return this.size * this.messageBytes(0);
  }

  timestamp(position: number): number {
    return Math.floor(this.#from + position * this.#step) + SYNTHETIC_DELAY_MS;
  }

  stream(): number {
    return 0;
  }

  message(position: number): string {
    return this.#fill(this.#template(position).message, position);
  }

  /** All of it is ASCII. */
  messageBytes(position: number): number {
    return this.#template(position).bytesWithoutAddress + this.#address(position).length;
  }

  wire(position: number): string {
    const timestamp = this.timestamp(position);
    return (
      `{"logStreamName":"${this.streams[0]}","timestamp":${timestamp},"message":` +
      this.#fill(this.#template(position).escaped, position) +
      `,"ingestionTime":${timestamp + 1_000},"eventId":"${eventId(this.#group, timestamp, position)}"}`
    );
  }

  #template(position: number): Template {
    const template = this.#templates[position % this.#templates.length];
    if (template === undefined) throw new RangeError(`no event at position ${position}`);
    return template;
  }

  #address(position: number): string {
    return syntheticAddress(Math.floor(position / this.#templates.length) % this.#addresses);
  }

  #fill(pieces: readonly Piece[], position: number): string {
    const time = this.#isoSeconds(this.timestamp(position) - SYNTHETIC_DELAY_MS);
    const address = this.#address(position);
    const serial = position.toString(16).padStart(12, '0');
    let text = '';
    for (const piece of pieces) {
      switch (piece.kind) {
        case 'text':
          text += piece.text;
          break;
        case 'time':
          text += time;
          break;
        case 'address':
          text += address;
          break;
        case 'serial':
          text += serial;
      }
    }
    return text;
  }

  /** Neighbours share their second more often than not, and toISOString() costs as much as all the rest. */
  #isoSeconds(time: number): string {
    const second = Math.floor(time / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#secondText = `${new Date(second * 1_000).toISOString().slice(0, 19)}Z`;
    }
    return this.#secondText;
  }
}

/** Public IPv4 addresses, all different for the first 4 million indexes. */
export function syntheticAddress(index: number): string {
  return `${64 + (index >>> 16)}.${(index >>> 8) & 255}.${index & 255}.${1 + (index % 250)}`;
}

function template(name: string, source: string, readOnly: boolean, accountId: string, region: string): Template {
  const message = JSON.stringify(record(name, source, readOnly, accountId, region));
  const sized = message
    .replaceAll(TIME, '2026-01-01T00:00:00Z')
    .replaceAll(SERIAL, '000000000000')
    .replace(ADDRESS, '');
  return { message: pieces(message), escaped: pieces(JSON.stringify(message)), bytesWithoutAddress: sized.length };
}

function pieces(text: string): readonly Piece[] {
  return text.split(/(@@[A-Z]+@@)/).map((part): Piece => {
    if (part === TIME) return { kind: 'time' };
    if (part === ADDRESS) return { kind: 'address' };
    if (part === SERIAL) return { kind: 'serial' };
    return { kind: 'text', text: part };
  });
}

function record(name: string, source: string, readOnly: boolean, accountId: string, region: string): unknown {
  return {
    eventVersion: '1.11',
    userIdentity: {
      type: 'AssumedRole',
      principalId: `AROAEXAMPLEROLEID0001:worker`,
      arn: `arn:aws:sts::${accountId}:assumed-role/worker/worker`,
      accountId,
      accessKeyId: 'ASIAEXAMPLEKEYID0001',
      sessionContext: {
        sessionIssuer: {
          type: 'Role',
          principalId: 'AROAEXAMPLEROLEID0001',
          arn: `arn:aws:iam::${accountId}:role/worker`,
          accountId,
          userName: 'worker',
        },
        attributes: { creationDate: TIME, mfaAuthenticated: 'false' },
      },
    },
    eventTime: TIME,
    eventSource: source,
    eventName: name,
    awsRegion: region,
    sourceIPAddress: ADDRESS,
    userAgent: 'Boto3/1.35.0 md/Botocore#1.35.0 ua/2.0 os/linux#6.1 md/arch#x86_64 lang/python#3.12.4',
    requestParameters: { maxResults: 100, filterSet: { items: [{ name: 'tag:team', valueSet: { items: [] } }] } },
    responseElements: null,
    requestID: `7d2f4f6a-5b0e-4a57-9a56-${SERIAL}`,
    eventID: `c1a3f1be-3f57-4b39-8f1c-${SERIAL}`,
    readOnly,
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: accountId,
    eventCategory: 'Management',
    tlsDetails: {
      tlsVersion: 'TLSv1.3',
      cipherSuite: 'TLS_AES_128_GCM_SHA256',
      clientProvidedHostHeader: source.replace('.amazonaws.com', `.${region}.amazonaws.com`),
    },
  };
}
