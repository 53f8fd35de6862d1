export type ServiceName = 'logs' | 'guardduty' | 'cloudtrail' | 'sts' | 'account' | 's3' | 'abuseipdb';

export interface ServiceRequest {
  readonly method: string;
  readonly url: URL;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface ServiceResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** One request, understood: whom it asks for what. */
export interface Operation {
  /** As the service calls it: `FilterLogEvents`; `check` for AbuseIPDB. */
  readonly operation: string;
  readonly region?: string | undefined;
  readonly accountId?: string | undefined;
  /** What it asks about: address, log group, detector. */
  readonly key?: string | undefined;
  /** Throws AwsError. */
  answer(): ServiceResponse;
}

export interface Service {
  readonly name: ServiceName;
  /** True for the requests that are addressed to this service, well formed or not. */
  claims(request: ServiceRequest): boolean;
  /** Throws AwsError for a request that the service refuses before it looks at anything. */
  understand(request: ServiceRequest): Operation;
}
