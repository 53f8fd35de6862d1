import { existsSync } from 'node:fs';
import path from 'node:path';
import { TrailhoundError } from '../../kernel/errors.ts';
import { readConfigurationFile, type ConfigurationFile, type KeyPath } from './file.ts';
import { fromEnvironment, fromOptions, isMapping, withValue, type CommonOptions, type Given } from './layers.ts';
import { CONNECTION_KINDS, settings, type Connection, type Settings } from './schema.ts';
import { resolvePath } from './units.ts';

export interface Config extends Omit<Settings, 'data_dir' | 'engine_url' | 'log_level'> {
  /** Absolute. */
  readonly dataDir: string;
  readonly engineUrl: string | undefined;
  readonly logLevel: Settings['log_level'];
  /** AWS_PROFILE, which the SDK reads by itself: for messages. */
  readonly awsProfile: string | undefined;
  /** As messages should name it: the file that was read, or the one that would be. */
  readonly file: string;
  /** Where a key was set, for messages of checks that need more than the configuration: `trailhound.yaml:3:5`. */
  origin(path: KeyPath): string;
}

type Environment = Readonly<Record<string, string | undefined>>;

export interface LoadRequest {
  readonly options?: CommonOptions;
  readonly environment?: Environment;
  readonly directory?: string;
  readonly readFile?: boolean;
}

/** Below it: `trailhound.yaml` in the directory where the command was given. */
const FILE_NAME = 'trailhound.yaml';

/** Defaults < file < environment < options. Throws `configuration` errors that name file, line and key. */
export function loadConfig(request: LoadRequest = {}): Config {
  const { options = {}, environment = process.env, directory = process.cwd(), readFile = true } = request;
  const file = readFile ? findFile(options, environment, directory) : undefined;
  const given = [...fromEnvironment(environment), ...fromOptions(options)];
  const tree = withConnections(
    given.reduce<unknown>((merged, { path, value }) => withValue(merged, path, value), file?.value ?? {}),
    environment,
  );
  const origin = (keys: KeyPath) => originOf(keys, given, file);
  const result = settings.safeParse(tree, { reportInput: true });
  if (!result.success) throw refusal(result.error.issues, origin);

  const { data_dir, engine_url, log_level, ...rest } = result.data;
  const base = file === undefined ? directory : path.dirname(file.path);
  const pathBase = (keys: KeyPath) => (lastGiven(keys, given) === undefined ? base : directory);
  const resolved = (keys: KeyPath, text: string) => resolvePath(text, path.resolve(directory, pathBase(keys)));
  const { tls } = rest.listen;
  return {
    ...rest,
    listen: {
      ...rest.listen,
      tls:
        typeof tls === 'string'
          ? tls
          : {
              cert: resolved(['listen', 'tls', 'cert'], tls.cert),
              key: resolved(['listen', 'tls', 'key'], tls.key),
            },
    },
    connections: Object.fromEntries(
      Object.entries(rest.connections).map(([name, connection]) => [
        name,
        withPaths(connection, (text) => resolved(['connections', name, 'paths'], text)),
      ]),
    ),
    hunts: { ...rest.hunts, paths: rest.hunts.paths.map((text) => resolved(['hunts', 'paths'], text)) },
    dataDir: data_dir === undefined ? defaultDataDirectory() : resolved(['data_dir'], data_dir),
    engineUrl: engine_url,
    awsProfile: emptyIsUnset(environment.AWS_PROFILE),
    logLevel: log_level,
    file: file?.path ?? `./${FILE_NAME}`,
    origin,
  };
}

/** Of the demo: no file, and of the environment only our own variables, so that no real account can be reached. */
export function loadDemoConfig(options: CommonOptions): Config {
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => name.startsWith('TRAILHOUND_') || name === 'PGTZ'),
  );
  return loadConfig({ options, environment, readFile: false });
}

/**
 * As root not in the home directory: PostgreSQL refuses to run as root, so the engine runs as an unprivileged user, who
 * cannot enter root's home (mode 0700 on most systems) and so could not reach a data directory inside it.
 */
function defaultDataDirectory(): string {
  return process.getuid?.() === 0 ? '/var/lib/trailhound' : resolvePath('~/.local/share/trailhound', '/');
}

function findFile(options: CommonOptions, environment: Environment, directory: string): ConfigurationFile | undefined {
  const named = options.config ?? emptyIsUnset(environment.TRAILHOUND_CONFIG);
  if (named === undefined && !existsSync(path.join(directory, FILE_NAME))) return undefined;
  // Shown in messages as the user would write it.
  const shown = named ?? FILE_NAME;
  return readConfigurationFile(directory === process.cwd() ? shown : path.resolve(directory, shown), environment);
}

/**
 * A connection named after a kind is of that kind; each of `aws` and `abuseipdb` exists unless the file has a connection
 * of its kind. `ABUSEIPDB_*` set the connection of that name and fill in what others of the kind leave out.
 */
function withConnections(tree: unknown, environment: Environment): unknown {
  if (!isMapping(tree)) return tree;
  const configured = tree.connections ?? {};
  if (!isMapping(configured)) return tree;
  const connections: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(configured)) {
    const kinds: readonly string[] = CONNECTION_KINDS;
    const fields = value === null ? {} : value;
    connections[name] = isMapping(fields) && kinds.includes(name) ? { kind: name, ...fields } : fields;
  }
  const kinds = new Set(Object.values(connections).map((value) => (isMapping(value) ? value.kind : undefined)));
  for (const kind of ['aws', 'abuseipdb']) {
    if (!kinds.has(kind) && !Object.hasOwn(connections, kind)) connections[kind] = { kind };
  }
  const fromVariables = {
    ...(environment.ABUSEIPDB_API_KEY ? { api_key: environment.ABUSEIPDB_API_KEY } : {}),
    ...(environment.ABUSEIPDB_URL ? { url: environment.ABUSEIPDB_URL } : {}),
  };
  for (const [name, value] of Object.entries(connections)) {
    if (!isMapping(value) || value.kind !== 'abuseipdb') continue;
    connections[name] = name === 'abuseipdb' ? { ...value, ...fromVariables } : { ...fromVariables, ...value };
  }
  return { ...tree, connections };
}

/** Of files: a slash at a path's end says that a folder is meant. */
function withPaths(connection: Connection, resolved: (text: string) => string): Connection {
  if (connection.kind !== 'files') return connection;
  const paths = connection.paths.map((text) => {
    if (text.startsWith('s3://')) return text;
    const absolute = resolved(text);
    return text.endsWith('/') && !absolute.endsWith('/') ? `${absolute}/` : absolute;
  });
  return { ...connection, paths };
}

function lastGiven(keys: KeyPath, given: readonly Given[]): Given | undefined {
  return given.findLast(({ path }) => path.every((key, index) => key === keys[index]));
}

function originOf(keys: KeyPath, given: readonly Given[], file: ConfigurationFile | undefined): string {
  const setting = lastGiven(keys, given);
  if (setting !== undefined) return setting.origin;
  if (keys[0] === 'connections' && file === undefined) return 'ABUSEIPDB_URL';
  return file?.locate(keys) ?? 'configuration';
}

interface Issue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
  /** Of `invalid_key`: what is wrong with the key itself. */
  readonly issues?: readonly Issue[];
}

function refusal(issues: readonly Issue[], origin: (keys: KeyPath) => string): TrailhoundError {
  const problems = issues.flatMap((issue) => {
    const path = issue.path.map((key) => (typeof key === 'number' ? key : String(key)));
    const [message = '', hint] = (issue.issues?.[0] ?? issue).message.split('|');
    const paths = issue.code === 'unrecognized_keys' ? (issue.keys ?? []).map((key) => [...path, key]) : [path];
    return paths.map((keys) => {
      const place = origin(keys);
      // An option or a variable is the key's name already.
      const key = place.includes(':') ? ` ${keys.join('.') || 'the file'}:` : '';
      return { message: `${place}:${key} ${message}`, hint };
    });
  });
  const [first, ...others] = problems;
  return new TrailhoundError('configuration', first?.message ?? 'the configuration is not valid', {
    detail: others.length === 0 ? undefined : `Also wrong: ${others.map((other) => other.message).join('; ')}.`,
    hint: first?.hint,
  });
}

function emptyIsUnset(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
