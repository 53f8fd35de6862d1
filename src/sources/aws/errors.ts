import { SourceError } from '../source.ts';
import { credentialsHint, type ProfileOrigin } from './credentials-hint.ts';

/** What was being done when a call failed: everything that a message may say. */
export interface CallDescription {
  /** The connection's name. */
  readonly connection: string;
  readonly region: string;
  /** As IAM names it: `logs:FilterLogEvents`. */
  readonly action: string;
  /** What it was asked about, where that helps: `log group CloudTrail/All`. */
  readonly subject?: string | undefined;
  /** How the connection gets its credentials: `profile audit`. */
  readonly credentials: string;
  readonly profile?: ProfileOrigin | undefined;
}

interface AwsError extends Error {
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number } | undefined;
  readonly $response?:
    { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> } | undefined;
}

/** Names as the services spell them; the query protocol's have no `Exception`. */
const EXPIRED = new Set(['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired']);
const SKEWED = new Set(['RequestExpired', 'RequestTimeTooSkewed', 'RequestInTheFuture']);
const REFUSED = new Set([
  'IncompleteSignature',
  'IncompleteSignatureException',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'InvalidToken',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
]);
const DENIED = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'AuthorizationError',
  'Forbidden',
  'ForbiddenException',
  'NotAuthorized',
  'OptInRequired',
  'SubscriptionRequiredException',
  'UnauthorizedOperation',
]);
const THROTTLED = new Set([
  'BandwidthLimitExceeded',
  'PriorRequestNotComplete',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);
const MISSING = new Set(['ResourceNotFoundException', 'NoSuchEntity', 'NotFoundException']);

/** Node's codes of connections that may well succeed when tried again. */
const TRANSIENT = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

/** Any failure of an AWS SDK call as a SourceError that says which connection and region, what was tried, what to do. */
export function toSourceError(error: unknown, call: CallDescription): SourceError {
  if (error instanceof SourceError) return error;
  const thrown: AwsError = error instanceof Error ? error : new Error(String(error));
  return (
    credentialsError(thrown, call) ??
    connectionError(thrown, call) ??
    serviceError(thrown, call) ??
    unexpected(thrown, call)
  );
}

function credentialsError(error: AwsError, call: CallDescription): SourceError | undefined {
  const { connection, region, action } = call;
  const fail = (message: string, detail: string, hint: string, cause?: Error) =>
    new SourceError('credentials', connection, message, { detail, hint, cause });
  const tried = `Tried ${call.credentials} for ${action} in ${region}.`;
  if (error.name === 'CredentialsProviderError' || error.name === 'TokenProviderError') {
    return fail(
      `no credentials for connection ${connection}`,
      `${tried}${quoted(safeCredentialsText(error.message))}`,
      credentialsHint(connection, call.profile, error.message),
    );
  }
  if (EXPIRED.has(error.name)) {
    return fail(
      `the credentials of connection ${connection} have expired`,
      tried,
      `Renew them, for example by \`aws sso login${call.profile === undefined ? '' : ` --profile ${call.profile.profile}`}\`, and run the statement again.`,
    );
  }
  if (
    SKEWED.has(error.name) ||
    (error.name === 'InvalidSignatureException' && /Signature (expired|not yet)/.test(error.message))
  ) {
    return new SourceError(
      'credentials',
      connection,
      `${serviceOf(call)} in ${region} says that this machine's clock is wrong`,
      {
        // The SDK has taken the service's clock from the answer, so a second attempt is signed with the right time.
        retryable: true,
        detail: tried,
        hint: 'Set the clock: AWS refuses signatures that are more than 5 minutes old.',
        cause: error,
      },
    );
  }
  // The text of a refused signature repeats the signed headers, the session token among them, so it is no cause either.
  if (REFUSED.has(error.name)) {
    return fail(
      `the credentials of connection ${connection} are refused by ${serviceOf(call)} in ${region}`,
      `${tried} The answer was ${error.name}.`,
      'Check that the access key exists and is active, that secret and session token belong to it, and that the account has enabled the region.',
    );
  }
  const assuming = error.message.includes('sts:AssumeRole');
  if (DENIED.has(error.name) || statusOf(error) === 401 || statusOf(error) === 403) {
    return fail(
      assuming
        ? `connection ${connection} may not assume its role`
        : `connection ${connection} may not call ${action} in ${region}`,
      `${tried}${quoted(error.message)}`,
      assuming
        ? 'Let the role trust this identity (and this external_id), or change role_arn.'
        : `Allow ${action}${call.subject === undefined ? '' : ` on ${call.subject}`} to the connection's identity, or leave ${region} out by connections.${connection}.regions.`,
      error,
    );
  }
  return undefined;
}

function connectionError(error: AwsError, call: CallDescription): SourceError | undefined {
  const { connection, region, action } = call;
  const code = codeOf(error);
  const fail = (message: string, retryable: boolean, hint: string) =>
    new SourceError('unreachable', connection, message, {
      retryable,
      detail: `Connection ${connection} tried ${action} in ${region}.`,
      hint,
      cause: error,
    });
  if (code === 'ENOTFOUND') {
    return fail(
      `no such host: ${hostOf(error) ?? `${serviceOf(call)} in ${region}`}`,
      false,
      `Check that ${region} is a region of AWS that has this service, that AWS_ENDPOINT_URL is right, and that this machine reaches the internet.`,
    );
  }
  if (error.message.startsWith('Region not accepted') || error.message.startsWith('Invalid Configuration')) {
    return new SourceError('not_found', connection, `"${region}" is not a region`, {
      detail: `Connection ${connection} tried ${action}.`,
      hint: `Correct connections.${connection}.regions, or AWS_REGION.`,
      cause: error,
    });
  }
  if (error.name === 'TimeoutError' || (code !== undefined && TRANSIENT.has(code))) {
    return fail(
      `${serviceOf(call)} in ${region} does not answer`,
      true,
      'Check the network, proxy and endpoint settings.',
    );
  }
  if (code !== undefined && statusOf(error) === undefined) {
    return fail(
      `${serviceOf(call)} in ${region} cannot be reached (${code})`,
      false,
      'Check the network, AWS_ENDPOINT_URL, and the certificates that this machine trusts.',
    );
  }
  return undefined;
}

function serviceError(error: AwsError, call: CallDescription): SourceError | undefined {
  const { connection, region, action } = call;
  const status = statusOf(error);
  const said = `Connection ${connection} tried ${action} in ${region}.${quoted(error.message)}`;
  if (THROTTLED.has(error.name) || status === 429) {
    return new SourceError('throttled', connection, `${serviceOf(call)} in ${region} throttles ${action}`, {
      retryable: true,
      retryAfterMs: retryAfterMs(error),
      detail: said,
      hint: `Narrow the statement's time range, or lower requests_per_second of connection ${connection} where other tools share the account.`,
      cause: error,
    });
  }
  if (MISSING.has(error.name) || status === 404) {
    return new SourceError('not_found', connection, `${call.subject ?? action} does not exist in ${region}`, {
      detail: said,
      hint: 'Check the name for a misspelling, and that it exists in this account and region.',
      cause: error,
    });
  }
  if (status !== undefined && status >= 500) {
    return new SourceError('unreachable', connection, `${serviceOf(call)} in ${region} answers ${String(status)}`, {
      retryable: true,
      retryAfterMs: retryAfterMs(error),
      detail: said,
      hint: 'Run the statement again; https://health.aws.amazon.com tells of AWS outages.',
      cause: error,
    });
  }
  if (error instanceof SyntaxError) return unintelligible(call, error);
  if (status !== undefined && status >= 400) {
    return new SourceError(
      'invalid_request',
      connection,
      `${serviceOf(call)} in ${region} refuses ${action}: ${error.name}`,
      {
        detail: said,
        hint: 'Change the condition that the service refused.',
        cause: error,
      },
    );
  }
  return undefined;
}

/** True where the identity is known and not allowed to make the call. */
export function isAccessDenied(error: unknown): boolean {
  return error instanceof SourceError && error.cause instanceof Error && DENIED.has(error.cause.name);
}

/** An answer that is not what the service's protocol says, such as a proxy's page. */
export function unintelligible(call: CallDescription, cause?: unknown): SourceError {
  return new SourceError(
    'nonsense',
    call.connection,
    `${serviceOf(call)} in ${call.region} answers ${call.action} with something else than JSON`,
    {
      detail: `Connection ${call.connection} tried ${call.action} in ${call.region}.`,
      hint: 'Check AWS_ENDPOINT_URL, and whether a proxy answers in the place of AWS.',
      cause,
    },
  );
}

function unexpected(error: AwsError, call: CallDescription): SourceError {
  return new SourceError('invalid_request', call.connection, `${call.action} failed in ${call.region}: ${error.name}`, {
    detail: `Connection ${call.connection} tried ${call.credentials}.`,
    hint: 'The server log has the details.',
    cause: error,
  });
}

function serviceOf(call: CallDescription): string {
  return call.action.slice(0, call.action.indexOf(':'));
}

function statusOf(error: AwsError): number | undefined {
  return error.$metadata?.httpStatusCode ?? error.$response?.statusCode;
}

/** Connecting to several addresses fails with an AggregateError whose parts have the code. */
function codeOf(error: AwsError): string | undefined {
  if (typeof error.code === 'string') return error.code;
  if (error instanceof AggregateError) {
    const first: unknown = error.errors[0];
    if (first instanceof Error) return codeOf(first);
  }
  return undefined;
}

function hostOf(error: AwsError): string | undefined {
  return 'hostname' in error && typeof error.hostname === 'string' ? error.hostname : undefined;
}

/** https://www.rfc-editor.org/rfc/rfc9110#field.retry-after, seconds. */
function retryAfterMs(error: AwsError): number | undefined {
  const seconds = Number(error.$response?.headers?.['retry-after'] ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

const LONGEST_QUOTE = 400;

function quoted(message: string | undefined): string {
  const text = message?.split('\n', 1)[0]?.trim() ?? '';
  if (text === '' || text === 'UnknownError') return '';
  return ` AWS says: ${text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text}`;
}

/** What a credential process printed may hold anything, so only the SDK's own sentences are passed on. */
function safeCredentialsText(message: string): string | undefined {
  return /^(Could not (load|resolve)|The SSO session|Token is expired|Profile )/.test(message) ? message : undefined;
}
