import { hash } from '../hash.ts';
import { ACCOUNT_ID, isoSeconds } from './account.ts';
import type { Identity } from './account.ts';

/** What differs from record to record. */
export interface DemoEvent {
  readonly time: Date;
  readonly identity: Identity;
  /** `iam` for iam.amazonaws.com. */
  readonly source: string;
  readonly name: string;
  readonly sourceIPAddress: string | null;
  readonly region?: string;
  readonly userAgent?: string | null;
  readonly request?: unknown;
  readonly response?: unknown;
  readonly additional?: unknown;
  readonly error?: readonly [code: string, message: string];
  readonly type?: 'AwsApiCall' | 'AwsConsoleSignIn' | 'AwsServiceEvent';
  readonly category?: 'Management' | 'Data';
  readonly resources?: readonly unknown[];
}

/** As CloudTrail writes it. `serial` makes the ids. */
export function toRecord(event: DemoEvent, serial: number): Readonly<Record<string, unknown>> {
  const category = event.category ?? 'Management';
  return {
    eventVersion: '1.11',
    userIdentity: event.identity,
    eventTime: isoSeconds(event.time),
    eventSource: `${event.source}.amazonaws.com`,
    eventName: event.name,
    awsRegion: event.region ?? 'us-east-1',
    sourceIPAddress: event.sourceIPAddress,
    userAgent: event.userAgent === undefined ? 'aws-cli/2.31.4 md/awscrt#0.27.6 lang/python#3.13.7' : event.userAgent,
    ...(event.error === undefined
      ? {}
      : event.error[0] === ''
        ? { errorMessage: event.error[1] }
        : { errorCode: event.error[0], errorMessage: event.error[1] }),
    requestParameters: event.request ?? null,
    responseElements: event.response ?? null,
    ...(event.additional === undefined ? {} : { additionalEventData: event.additional }),
    requestID: uuid(`request ${serial}`),
    eventID: uuid(`event ${serial}`),
    readOnly: /^(Get|List|Describe|AssumeRole|Decrypt|Head)/.test(event.name),
    ...(event.resources === undefined ? {} : { resources: event.resources }),
    eventType: event.type ?? 'AwsApiCall',
    managementEvent: category === 'Management',
    recipientAccountId: ACCOUNT_ID,
    eventCategory: category,
  };
}

function uuid(name: string): string {
  const hex = [0, 1, 2, 3].map((part) => hash(`${name} ${part}`).toString(16).padStart(8, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}
