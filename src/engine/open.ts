import { openEmbeddedEngine } from './embedded/embedded-engine.ts';
import type { Engine } from './engine.ts';
import { openExternalEngine } from './external/external-engine.ts';

export interface EngineOptions {
  /** The embedded engine lives in it. */
  readonly dataDir: string;
  /** `postgres://…`: a PostgreSQL >= 16 where we are superuser, in place of the embedded one. */
  readonly engineUrl?: string | undefined;
  /** What clients connect to; made when missing. */
  readonly database: string;
  /** Clients at once. */
  readonly maxClients: number;
  /** The server's own connections. */
  readonly poolSize: number;
}

/** Errors: TrailhoundError('configuration'), whose hint says what to change. */
export function openEngine(options: EngineOptions): Promise<Engine> {
  return options.engineUrl === undefined ? openEmbeddedEngine(options) : openExternalEngine(options.engineUrl, options);
}
