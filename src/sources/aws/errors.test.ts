import { describe, expect, test } from 'vitest';
import { type CallDescription, isAccessDenied, toSourceError } from './errors.ts';

const CALL: CallDescription = {
  connection: 'audit',
  region: 'eu-west-1',
  action: 'logs:FilterLogEvents',
  subject: 'log group trail',
  credentials: 'profile audit',
};

function awsError(name: string, message: string, fields: object = {}): Error {
  return Object.assign(new Error(message), { name, ...fields });
}

describe('credentials', () => {
  test.each([
    [
      'CredentialsProviderError',
      'Could not load credentials from any providers',
      'no credentials for connection audit',
    ],
    [
      'ExpiredTokenException',
      'The security token included in the request is expired',
      'the credentials of connection audit have expired',
    ],
    ['UnrecognizedClientException', 'x', 'the credentials of connection audit are refused by logs in eu-west-1'],
    ['AccessDeniedException', 'x', 'connection audit may not call logs:FilterLogEvents in eu-west-1'],
    [
      'AccessDenied',
      'User: u is not authorized to perform: sts:AssumeRole on resource: r',
      'connection audit may not assume its role',
    ],
  ])('%s', (name, message, expected) => {
    const error = toSourceError(awsError(name, message, { $metadata: { httpStatusCode: 400 } }), CALL);
    expect([error.kind, error.retryable, error.message]).toEqual(['credentials', false, expected]);
    expect(error.detail).toContain('profile audit');
    expect(error.hint).toBeDefined();
  });

  test('a wrong clock is tried once more, as the SDK has learnt the difference', () => {
    const error = toSourceError(awsError('InvalidSignatureException', 'Signature expired: 20261101T000000Z'), CALL);
    expect([error.kind, error.retryable]).toEqual(['credentials', true]);
  });

  test('a refused signature repeats the session token, so its text is never passed on', () => {
    const error = toSourceError(
      awsError('SignatureDoesNotMatch', 'canonical string: x-amz-security-token:FwoGZXIvYXdz=SECRET'),
      CALL,
    );
    expect([error.message, error.detail, error.hint, String(error.cause)].join(' ')).not.toContain('=SECRET');
  });

  test('what a credential process printed is never passed on', () => {
    const error = toSourceError(
      awsError('CredentialsProviderError', 'Command failed: get-keys --password=SECRET'),
      CALL,
    );
    expect([error.message, error.detail, error.hint, String(error.cause)].join(' ')).not.toContain('=SECRET');
  });

  test('denied is told apart from other trouble with credentials', () => {
    expect(isAccessDenied(toSourceError(awsError('AccessDeniedException', 'x'), CALL))).toBe(true);
    expect(isAccessDenied(toSourceError(awsError('ExpiredToken', 'x'), CALL))).toBe(false);
    expect(isAccessDenied(new Error('AccessDenied'))).toBe(false);
  });
});

describe('the network', () => {
  test('a host that does not exist: the region may be misspelt', () => {
    const fields = { code: 'ENOTFOUND', hostname: 'logs.eu-west-1.amazonaws.com' };
    const error = toSourceError(awsError('Error', 'getaddrinfo ENOTFOUND', fields), CALL);
    expect([error.kind, error.retryable, error.message]).toEqual([
      'unreachable',
      false,
      'no such host: logs.eu-west-1.amazonaws.com',
    ]);
    expect(error.hint).toContain('eu-west-1');
  });

  test('several addresses tried in vain', () => {
    const error = toSourceError(new AggregateError([awsError('Error', 'x', { code: 'ECONNREFUSED' })]), CALL);
    expect([error.kind, error.retryable, error.message]).toEqual([
      'unreachable',
      false,
      'logs in eu-west-1 cannot be reached (ECONNREFUSED)',
    ]);
  });

  test.each(['ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'EAI_AGAIN'])('%s may pass', (code) => {
    expect(toSourceError(awsError('Error', 'x', { code }), CALL)).toMatchObject({
      kind: 'unreachable',
      retryable: true,
    });
  });

  test('a name that is no region', () => {
    const message = 'Region not accepted: region="eu_west" is not a valid hostname component.';
    expect(toSourceError(awsError('Error', message), { ...CALL, region: 'eu_west' })).toMatchObject({
      kind: 'not_found',
      message: '"eu_west" is not a region',
    });
  });
});

describe('the service', () => {
  test('throttling says when to come again', () => {
    const fields = { $metadata: { httpStatusCode: 400 }, $response: { headers: { 'retry-after': '3' } } };
    expect(toSourceError(awsError('ThrottlingException', 'Rate exceeded', fields), CALL)).toMatchObject({
      kind: 'throttled',
      retryable: true,
      retryAfterMs: 3000,
    });
  });

  test('a missing resource is named with its region', () => {
    const error = toSourceError(awsError('ResourceNotFoundException', 'The specified log group does not exist.'), CALL);
    expect([error.kind, error.message]).toEqual(['not_found', 'log group trail does not exist in eu-west-1']);
  });

  test('an error page of a proxy is nonsense, one of 5xx may pass', () => {
    const syntax = (status: number) =>
      Object.assign(new SyntaxError('Unexpected token <'), { $metadata: { httpStatusCode: status } });
    expect(toSourceError(syntax(400), CALL)).toMatchObject({ kind: 'nonsense', retryable: false });
    expect(toSourceError(syntax(502), CALL)).toMatchObject({ kind: 'unreachable', retryable: true });
  });

  test('what the service says is quoted, one line of it, not endless', () => {
    const error = toSourceError(
      awsError('InvalidParameterException', `${'x'.repeat(1000)}\nmore`, { $metadata: { httpStatusCode: 400 } }),
      CALL,
    );
    expect(error.kind).toBe('invalid_request');
    expect(error.detail?.length).toBeLessThan(500);
    expect(error.detail).not.toContain('more');
  });
});
