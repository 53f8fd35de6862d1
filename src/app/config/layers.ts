import type { KeyPath } from './file.ts';

/** What environment and options set over the file: each value with the name by which the user gave it. */
export interface Given {
  readonly path: KeyPath;
  readonly value: string;
  /** `TRAILHOUND_PORT`, `--port`. */
  readonly origin: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The options that every command takes, as the command line gave them. */
export interface CommonOptions {
  readonly config?: string;
  readonly host?: string;
  readonly port?: string;
  readonly httpPort?: string;
  readonly dataDir?: string;
  readonly engineUrl?: string;
  readonly timezone?: string;
  readonly logLevel?: string;
}

const ENVIRONMENT: readonly (readonly [string, KeyPath])[] = [
  ['TRAILHOUND_HOST', ['listen', 'host']],
  ['TRAILHOUND_PORT', ['listen', 'port']],
  ['TRAILHOUND_HTTP_PORT', ['listen', 'http_port']],
  ['TRAILHOUND_TLS', ['listen', 'tls']],
  ['TRAILHOUND_DATA_DIR', ['data_dir']],
  ['TRAILHOUND_PASSWORD', ['password']],
  ['TRAILHOUND_ENGINE_URL', ['engine_url']],
  ['TRAILHOUND_LOG_LEVEL', ['log_level']],
  // libpq's own: https://www.postgresql.org/docs/18/libpq-envars.html
  ['PGTZ', ['timezone']],
];

/** A variable that is set but empty counts as not set: compose files pass `${X:-}` on. */
export function fromEnvironment(environment: Environment): readonly Given[] {
  return ENVIRONMENT.flatMap(([name, path]) => {
    const value = environment[name];
    return value === undefined || value === '' ? [] : [{ path, value, origin: name }];
  });
}

const OPTIONS: readonly (readonly [Exclude<keyof CommonOptions, 'config'>, string, KeyPath])[] = [
  ['host', '--host', ['listen', 'host']],
  ['port', '--port', ['listen', 'port']],
  ['httpPort', '--http-port', ['listen', 'http_port']],
  ['dataDir', '--data-dir', ['data_dir']],
  ['engineUrl', '--engine-url', ['engine_url']],
  ['timezone', '--timezone', ['timezone']],
  ['logLevel', '--log-level', ['log_level']],
];

export function fromOptions(options: CommonOptions): readonly Given[] {
  return OPTIONS.flatMap(([name, origin, path]) => {
    const value = options[name];
    return value === undefined ? [] : [{ path, value, origin }];
  });
}

/** A copy of `tree` with `value` at `path`; what stands in the way and is no mapping is left for the schema to refuse. */
export function withValue(tree: unknown, path: KeyPath, value: unknown): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return value;
  if (tree !== undefined && tree !== null && !isMapping(tree)) return tree;
  return { ...tree, [head]: withValue(tree?.[head], rest, value) };
}

export function isMapping(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
