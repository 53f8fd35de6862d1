import { z } from 'zod';
import { SEVERITIES } from '../../hunts/hunt.ts';
import { LOG_LEVELS } from '../../kernel/log.ts';
import { nearest } from '../../kernel/nearest.ts';
import { DURATION_UNITS, SIZE_UNITS, parseDuration, parseSize } from './units.ts';

/**
 * The shape of `trailhound.yaml`, of which environment and options set parts too. What comes out is the same in
 * camelCase, with durations in milliseconds, sizes in bytes; paths are resolved by `load.ts`, which knows their base.
 */

export const CONNECTION_KINDS = ['aws', 'abuseipdb', 'files', 'http'] as const;

/** https://docs.abuseipdb.com/#introduction */
export const ABUSEIPDB_URL = 'https://api.abuseipdb.com/api/v2';

function strict<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return undefined;
      const guess = nearest(String(issue.keys[0]), Object.keys(shape));
      return guess === undefined
        ? `unknown key|It may have: ${Object.keys(shape).join(', ')}.`
        : `unknown key|Did you mean ${guess}?`;
    },
  });
}

/** `message|hint`: zod has one text an issue, ours have a hint as well. */
function text(expected = 'text') {
  return z.string({ error: `expected ${expected}` }).min(1, { error: `expected ${expected}, found nothing` });
}

function parsed<T>(what: string, hint: string, parse: (value: string) => T | undefined) {
  return z
    .union([z.string(), z.number(), z.boolean()], { error: `expected ${what}|${hint}` })
    .transform((value, context) => {
      const result = parse(String(value));
      if (result !== undefined) return result;
      context.addIssue({ code: 'custom', message: `expected ${what}, found "${value}"|${hint}` });
      return z.NEVER;
    });
}

const PORT_HINT = 'A port is a whole number from 0 to 65535; 0 lets the system choose.';
const port = parsed('a port', PORT_HINT, (value) =>
  /^\d{1,5}$/.test(value) && Number(value) <= 65_535 ? Number(value) : undefined,
);
/** The engine has twice as many backends. PostgreSQL's own limit is 262,143. */
const count = z
  .int({ error: 'expected a whole number' })
  .min(1, { error: 'expected at least 1' })
  .max(100_000, { error: 'expected at most 100000' });
const duration = parsed('a duration', `Write a number and a unit (${DURATION_UNITS}), such as 24h.`, parseDuration);
const size = parsed('a size', `Write a number and a unit (${SIZE_UNITS}), such as 1GiB.`, parseSize);

function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, { error: (issue) => notAmong(issue.input, values) });
}

function notAmong(input: unknown, values: readonly string[]): string {
  const guess = typeof input === 'string' ? nearest(input, values) : undefined;
  const found = typeof input === 'string' ? `, found "${input}"` : '';
  return `expected ${values.join(', ').replace(/, ([^,]*)$/, ' or $1')}${found}${guess === undefined ? '' : `|Did you mean ${guess}?`}`;
}

const list = <T extends z.ZodType>(element: T) => z.array(element, { error: 'expected a list' });

const url = (protocols: readonly string[], example: string) =>
  text('a URL').refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol), {
    // The value is not repeated: a URL may hold a password.
    error: `expected a URL such as ${example}`,
  });

const timezone = text('a time zone').refine(isTimeZone, {
  error: (issue) => `unknown time zone "${String(issue.input)}"|Write a name such as Europe/Berlin or UTC.`,
});

/** Offsets are refused: `+02:00` means west of Greenwich to PostgreSQL (POSIX) and east of it to everyone else. */
function isTimeZone(name: string): boolean {
  if (/^[+-]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const tls = z.union([z.enum(['auto', 'off']), z.strictObject({ cert: z.string(), key: z.string() })], {
  error: 'expected auto, off or { cert: FILE, key: FILE }',
});

const listen = strict({
  host: text('a host name or an address').default('127.0.0.1'),
  port: port.default(9432),
  http_port: z.union([z.literal('off'), port], { error: `expected a port or off|${PORT_HINT}` }).default(9433),
  tls: tls.default('auto'),
  max_connections: count.default(100),
  max_connections_per_address: count.optional(),
  log_in_timeout: duration.default(60_000),
}).transform((value) => ({
  host: value.host,
  port: value.port,
  httpPort: value.http_port,
  tls: value.tls,
  maxConnections: value.max_connections,
  maxConnectionsPerAddress: value.max_connections_per_address,
  logInTimeoutMs: value.log_in_timeout,
}));

const regionPattern = text('a region or a pattern').regex(/^[a-z0-9*?-]+$/, {
  error: (issue) => `expected a region such as us-east-1 or a pattern such as eu-*, found "${String(issue.input)}"`,
});

const known = text('an ARN, an address, an account, or a pattern of them').refine(
  (value) => !value.includes('%') && !/^[\d.:a-f]+\/\d+$/i.test(value),
  {
    error: (issue) =>
      `expected an ARN, an address, an account, or a pattern of them with * such as 203.0.113.*, found "${String(issue.input)}"`,
  },
);

/** How late CloudTrail may deliver, in milliseconds. */
const deliverySlack = z.union([z.literal('none'), duration]).default(86_400_000);

/** Whose credentials AWS is asked with. */
const identity = {
  profile: text().optional(),
  role_arn: text()
    .regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/, {
      error: 'expected the ARN of a role, such as arn:aws:iam::111122223333:role/hunt',
    })
    .optional(),
  external_id: text().optional(),
  endpoint_url: url(['http:', 'https:'], 'http://127.0.0.1:4566').optional(),
};

interface Identity {
  readonly profile?: string | undefined;
  readonly role_arn?: string | undefined;
  readonly external_id?: string | undefined;
  readonly endpoint_url?: string | undefined;
}

const identityOf = (value: Identity) => ({
  profile: value.profile,
  roleArn: value.role_arn,
  externalId: value.external_id,
  endpointUrl: value.endpoint_url,
});

const externalIdNeedsRole = ({ role_arn, external_id }: Identity) =>
  external_id === undefined || role_arn !== undefined;
const NO_ROLE = {
  path: ['external_id'],
  error: 'external_id is used when a role is assumed, and there is no role_arn|Add role_arn, or remove external_id.',
};

const awsConnection = strict({
  kind: z.literal('aws'),
  ...identity,
  regions: list(regionPattern).min(1, { error: 'expected at least one region' }).optional(),
  log_groups: list(text('the name of a log group')).min(1, { error: 'expected at least one log group' }).optional(),
  delivery_slack: deliverySlack,
  requests_per_second: z.number({ error: 'expected a number' }).positive({ error: 'expected more than 0' }).optional(),
  lookup_requests_per_second: z
    .number({ error: 'expected a number' })
    .positive({ error: 'expected more than 0' })
    .optional(),
})
  .refine(externalIdNeedsRole, NO_ROLE)
  .transform((value) => ({
    kind: value.kind,
    ...identityOf(value),
    regions: value.regions,
    logGroups: value.log_groups,
    deliverySlackMs: value.delivery_slack,
    /** FilterLogEvents an account and region, where AWS has raised the quota. */
    requestsPerSecond: value.requests_per_second,
    /** LookupEvents, likewise. */
    lookupRequestsPerSecond: value.lookup_requests_per_second,
  }));

const abuseipdbConnection = strict({
  kind: z.literal('abuseipdb'),
  api_key: text().optional(),
  url: url(['http:', 'https:'], ABUSEIPDB_URL).default(ABUSEIPDB_URL),
}).transform((value) => ({ kind: value.kind, apiKey: value.api_key, url: value.url }));

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html; aliases of access points are names as well. */
const BUCKET_PATH = /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/.*)?$/s;

const filesConnection = strict({
  kind: z.literal('files'),
  paths: list(
    text('a path, a glob or s3://bucket/prefix').refine((value) => !/^s3:/i.test(value) || BUCKET_PATH.test(value), {
      error: (issue) => `expected s3://bucket/prefix, found "${String(issue.input)}"`,
    }),
  ).min(1, { error: 'expected at least one path' }),
  delivery_slack: deliverySlack,
  ...identity,
  region: text('a region')
    .regex(/^[a-z0-9-]+$/, { error: (issue) => `expected a region such as us-east-1, found "${String(issue.input)}"` })
    .optional(),
})
  .refine(externalIdNeedsRole, NO_ROLE)
  .transform((value) => ({
    kind: value.kind,
    paths: value.paths,
    deliverySlackMs: value.delivery_slack,
    ...identityOf(value),
    /** Where S3 is asked first; buckets say where they are. */
    region: value.region,
  }));

/** Of a URL, as a URL parser writes it. A port that is not the default one belongs to it. */
const urlHost = text('a host').transform((value, context) => {
  const url = URL.canParse(`https://${value}`) ? new URL(`https://${value}`) : undefined;
  // That of http is left out in the URLs that are held against it, as that of https is here.
  if (url?.port === '80') {
    context.addIssue({
      code: 'custom',
      message: `expected a host, found "${value}"|Leave out :80, which is http's own.`,
    });
    return z.NEVER;
  }
  if (url !== undefined && !/[/@?#*\s]/.test(value) && url.hostname !== '') return url.host;
  context.addIssue({
    code: 'custom',
    message: `expected a host such as api.example.com, found "${value}"|Write no scheme, path or pattern.`,
  });
  return z.NEVER;
});

const atLeastOne = z.int({ error: 'expected a whole number' }).min(1, { error: 'expected at least 1' });
const statuses = list(
  z
    .int({ error: 'expected a status' })
    .min(201, { error: 'expected a status such as 404' })
    .max(599, { error: 'expected a status such as 404' }),
);
/** https://www.rfc-editor.org/rfc/rfc9110#name-field-names and -values; what frames a message is not for headers to say. */
const FRAMING = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'expect',
]);
const headerName = z
  .string()
  .refine((name) => /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name) && !FRAMING.has(name.toLowerCase()), {
    error: 'expected the name of a header',
  });
const headerValue = text('a value').refine((value) => /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value), {
  // Not repeated: it is a secret.
  error: 'expected a value of visible ASCII characters',
});

const httpConnection = strict({
  kind: z.literal('http'),
  host: urlHost.optional(),
  headers: z.record(headerName, headerValue, { error: 'expected a mapping' }).default({}),
  query: z.record(text('a name'), text('a value'), { error: 'expected a mapping' }).default({}),
  concurrency: atLeastOne.default(8),
  requests_per_second: z.number({ error: 'expected a number' }).positive({ error: 'expected more than 0' }).optional(),
  quota_per_day: atLeastOne.optional(),
  not_found: statuses.default([404]),
  out_of_quota: statuses.default([429]),
  ttl: duration.default(86_400_000),
  timeout: duration.default(30_000),
  max_bytes: size.default(8 * 2 ** 20),
})
  .refine((value) => value.host !== undefined || (isEmpty(value.headers) && isEmpty(value.query)), {
    path: ['host'],
    error: 'headers and query go to one host alone|Name it as host.',
  })
  .transform((value) => ({
    kind: value.kind,
    host: value.host,
    headers: value.headers,
    query: value.query,
    concurrency: value.concurrency,
    requestsPerSecond: value.requests_per_second,
    quotaPerDay: value.quota_per_day,
    notFound: value.not_found,
    outOfQuota: value.out_of_quota,
    ttlMs: value.ttl,
    timeoutMs: value.timeout,
    maxBytes: value.max_bytes,
  }));

function isEmpty(mapping: object): boolean {
  return Object.keys(mapping).length === 0;
}

const connectionName = z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/, {
  error: 'expected a name of lower-case letters, digits and underscores',
});

const connection = z.discriminatedUnion('kind', [awsConnection, abuseipdbConnection, filesConnection, httpConnection], {
  error: (issue) =>
    typeof issue.input === 'object' && issue.input !== null
      ? 'kind' in issue.input
        ? notAmong(issue.input.kind, CONNECTION_KINDS)
        : `kind is missing|It is one of ${CONNECTION_KINDS.join(', ')}.`
      : 'expected a mapping such as { kind: aws, profile: audit }',
});

const record = <K extends z.core.$ZodRecordKey, T extends z.ZodType>(key: K, value: T) =>
  z.record(key, value, { error: 'expected a mapping' });

export const settings = strict({
  listen: listen.prefault({}),
  data_dir: text('a folder').optional(),
  engine_url: url(['postgres:', 'postgresql:'], 'postgres://postgres@db.example:5432/trailhound').optional(),
  password: text('a password').optional(),
  timezone: timezone.optional(),
  log_level: oneOf(LOG_LEVELS).default('warn'),
  connections: record(connectionName, connection).default({}),
  cache: strict({
    max_bytes: size.default(2 ** 30),
    tables: record(z.string(), duration).default({}),
  })
    .prefault({})
    .transform((value) => ({ maxBytes: value.max_bytes, ttlMsByTable: value.tables })),
  /** What tables made by SQL may call: `allow_private` also by http, and where no address of the internet is. */
  http: strict({ allow: list(urlHost).default([]), allow_private: list(urlHost).default([]) })
    .prefault({})
    .transform((value) => ({ allow: value.allow, allowPrivate: value.allow_private })),
  hunts: strict({
    paths: list(text('a folder')).default([]),
    severity: record(z.string(), oneOf(SEVERITIES)).default({}),
    known: list(known).default([]),
  }).prefault({}),
});

export type Settings = z.output<typeof settings>;
export type Connection = Settings['connections'][string];
export type AwsConnection = Extract<Connection, { kind: 'aws' }>;
export type AbuseIpdbConnection = Extract<Connection, { kind: 'abuseipdb' }>;
export type Tls = Settings['listen']['tls'];
