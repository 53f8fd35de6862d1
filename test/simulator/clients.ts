import { AccountClient } from '@aws-sdk/client-account';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { GuardDutyClient } from '@aws-sdk/client-guardduty';
import { S3Client } from '@aws-sdk/client-s3';
import { STSClient } from '@aws-sdk/client-sts';

interface ClientOptions {
  readonly region?: string;
  readonly accessKeyId?: string;
  readonly maxAttempts?: number;
}

/** The SDK's clients as anyone configures them, but for the endpoint. */
function configuration(
  endpoint: string,
  { region = 'us-east-1', accessKeyId = 'AKIAEXAMPLE', maxAttempts = 1 }: ClientOptions,
) {
  return { endpoint, region, maxAttempts, credentials: { accessKeyId, secretAccessKey: 'example' } };
}

export const logsClient = (url: string, options: ClientOptions = {}) =>
  new CloudWatchLogsClient(configuration(url, options));
export const guardDutyClient = (url: string, options: ClientOptions = {}) =>
  new GuardDutyClient(configuration(url, options));
export const cloudTrailClient = (url: string, options: ClientOptions = {}) =>
  new CloudTrailClient(configuration(url, options));
export const stsClient = (url: string, options: ClientOptions = {}) => new STSClient(configuration(url, options));
export const accountClient = (url: string, options: ClientOptions = {}) =>
  new AccountClient(configuration(url, options));
export const s3Client = (url: string, options: ClientOptions = {}) => new S3Client(configuration(url, options));
