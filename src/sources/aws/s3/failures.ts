import { partitionOf, isRegionName } from '../../regions.ts';
import { SourceError } from '../../source.ts';
import { type CallDescription, toSourceError } from '../errors.ts';

/** What was being done when a call failed. */
export interface S3CallDescription extends CallDescription {
  readonly bucket: string;
  /** `s3://bucket/key` */
  readonly path: string;
}

interface S3Error extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

/** The region that S3 says a bucket is in, where it was asked in another one. */
export function bucketRegion(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { $metadata, $response, name } = error as S3Error;
  const elsewhere = $metadata?.httpStatusCode === 301 || name === 'AuthorizationHeaderMalformed';
  const region = elsewhere ? $response?.headers?.['x-amz-bucket-region'] : undefined;
  return region !== undefined && isRegionName(region) ? region : undefined;
}

/** As `toSourceError`, with what S3 alone answers: each says what to change. */
export function s3Failure(error: unknown, call: S3CallDescription): SourceError {
  if (!(error instanceof Error) || error instanceof SourceError) return toSourceError(error, call);
  if (error instanceof SyntaxError || error.message.startsWith('char ')) return unintelligible(error, call);
  return missing(error, call) ?? undecipherable(error, call) ?? denied(error, call) ?? toSourceError(error, call);
}

function missing(error: S3Error, call: S3CallDescription): SourceError | undefined {
  const { connection, bucket, path } = call;
  const fail = (kind: 'not_found' | 'unreachable', message: string, hint: string) =>
    new SourceError(kind, connection, message, { detail: detailOf(error, call), hint, cause: error });
  const named = `connections.${connection}.paths`;
  switch (error.name) {
    case 'NoSuchBucket':
      return fail(
        'not_found',
        `bucket ${bucket} does not exist`,
        `Correct ${named}; \`aws s3 ls\` lists the account's own buckets.`,
      );
    case 'NoSuchKey':
    case 'NotFound':
      return fail('not_found', `${path} was deleted while it was to be read`, 'Run the statement again.');
    case 'PreconditionFailed':
    // It was listed with some bytes, and has none now.
    case 'InvalidRange':
      return fail('unreachable', `${path} was replaced while it was read`, 'Run the statement again.');
    case 'InvalidObjectState':
      return fail(
        'unreachable',
        `${path} is archived and cannot be read`,
        'Restore it (`aws s3api restore-object`), or leave it out by a condition on path, region, account_id or event_time.',
      );
    case 'PermanentRedirect':
      return fail(
        'not_found',
        `bucket ${bucket} is not where S3 was asked for it, in ${call.region}`,
        'Check AWS_ENDPOINT_URL_S3 and endpoint_url: they lead to one region alone.',
      );
    default:
      return undefined;
  }
}

/** S3 decrypts by the caller's own right to the key. */
function undecipherable(error: S3Error, call: S3CallDescription): SourceError | undefined {
  const { connection, path } = call;
  if (error.name.startsWith('KMS.')) {
    return new SourceError(
      'unreachable',
      connection,
      `the key that ${path} is encrypted by cannot be used: ${error.name}`,
      {
        detail: detailOf(error, call),
        hint: 'Enable the key in KMS, or leave the object out by a condition on path.',
        cause: error,
      },
    );
  }
  if (!isDenied(error) || !/\bkms:|KMS key|ciphertext/i.test(error.message)) return undefined;
  return new SourceError('credentials', connection, `connection ${connection} may not decrypt ${path}`, {
    detail: detailOf(error, call),
    hint: "Allow kms:Decrypt on the bucket's key to the connection's identity, by its policies and the key's own.",
    cause: error,
  });
}

function denied(error: S3Error, call: S3CallDescription): SourceError | undefined {
  const { connection, action, bucket, path, region } = call;
  if (!isDenied(error) || error.message.includes('sts:AssumeRole')) return undefined;
  const resource = `arn:${partitionOf(region)}:s3:::${bucket}${action === 's3:GetObject' ? '/*' : ''}`;
  const also = action === 's3:GetObject' ? ', and kms:Decrypt on their key where KMS encrypts the objects' : '';
  return new SourceError('credentials', connection, `connection ${connection} may not call ${action} on ${path}`, {
    detail: detailOf(error, call),
    hint: `Allow ${action} on ${resource} to the connection's identity, by its policies and the bucket's${also}.`,
    cause: error,
  });
}

function isDenied(error: S3Error): boolean {
  return error.name === 'AccessDenied' || error.name === 'AllAccessDisabled';
}

function unintelligible(error: Error, { connection, action, path, region }: S3CallDescription): SourceError {
  return new SourceError(
    'nonsense',
    connection,
    `s3 in ${region} answers ${action} on ${path} with something else than S3 does`,
    {
      hint: 'Check AWS_ENDPOINT_URL_S3 and endpoint_url, and whether a proxy answers in the place of S3.',
      cause: error,
    },
  );
}

const LONGEST_QUOTE = 400;

function detailOf({ message }: Error, { action, region, credentials }: S3CallDescription): string {
  const text = message.split('\n', 1)[0] ?? '';
  const said = text === '' || text === 'UnknownError' ? '' : ` S3 says: ${text.slice(0, LONGEST_QUOTE)}`;
  return `Tried ${credentials} for ${action} in ${region}.${said}`;
}
