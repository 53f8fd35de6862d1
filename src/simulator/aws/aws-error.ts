import { randomUUID } from 'node:crypto';
import type { ServiceName, ServiceResponse } from '../service.ts';

/** An error as the service would answer it. `code` is the shape's name in the service's model. */
export class AwsError extends Error {
  override readonly name = 'AwsError';
  readonly status: number;
  readonly code: string;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export type AwsService = Exclude<ServiceName, 'abuseipdb'>;

/** Each protocol names the error in a place of its own: body (json), header (rest-json), XML (query). */
export function awsErrorResponse(service: AwsService, error: AwsError): ServiceResponse {
  switch (service) {
    case 'logs':
    case 'cloudtrail':
      return json11({ __type: error.code, message: error.message }, error.status);
    case 'guardduty':
    case 'account':
      return {
        status: error.status,
        headers: {
          'content-type': 'application/json',
          'x-amzn-errortype': error.code,
          'x-amzn-requestid': randomUUID(),
        },
        body: JSON.stringify({ message: error.message }),
      };
    case 'sts':
      return xml(
        `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>${error.status < 500 ? 'Sender' : 'Receiver'}</Type>` +
          `<Code>${escapeXml(error.code)}</Code><Message>${escapeXml(error.message)}</Message></Error>` +
          `<RequestId>${randomUUID()}</RequestId></ErrorResponse>`,
        error.status,
      );
    case 's3':
      return xml(
        `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${escapeXml(error.code)}</Code>` +
          `<Message>${escapeXml(error.message)}</Message><RequestId>${randomUUID()}</RequestId></Error>`,
        error.status,
      );
  }
}

/** AWS JSON 1.1. */
export function json11(value: unknown, status = 200): ServiceResponse {
  return json11Text(JSON.stringify(value), status);
}

export function json11Text(body: string, status = 200): ServiceResponse {
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': randomUUID() },
    body,
  };
}

export function restJson(value: unknown): ServiceResponse {
  return {
    status: 200,
    headers: { 'content-type': 'application/json', 'x-amzn-requestid': randomUUID() },
    body: JSON.stringify(value),
  };
}

export function xml(body: string, status = 200): ServiceResponse {
  return { status, headers: { 'content-type': 'text/xml', 'x-amzn-requestid': randomUUID() }, body };
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
