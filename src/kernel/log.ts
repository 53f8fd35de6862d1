import { pino } from 'pino';

export type Logger = pino.Logger;

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Names under which a secret might be passed by mistake; one level of nesting is what our log calls use. */
const SECRETS = ['password', 'apiKey', 'api_key', 'secretAccessKey', 'sessionToken', 'authorization', 'credentials'];

export interface LogDestination {
  write(line: string): void;
}

/** JSON lines on stderr: stdout belongs to the `ready:` line and to results. */
export function createLogger(
  level: LogLevel,
  destination: LogDestination = pino.destination({ fd: 2, sync: true }),
): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`]), censor: '[hidden]' },
    },
    destination,
  );
}
