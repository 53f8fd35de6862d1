import { openEmbeddedEngine } from './embedded/embedded-engine.ts';
import type { Engine } from './engine.ts';
import type { EngineOptions } from './engine-options.ts';
import { openExternalEngine } from './external/external-engine.ts';

export type { EngineOptions } from './engine-options.ts';

/** Errors: TrailhoundError('configuration'), whose hint says what to change. */
export function openEngine(options: EngineOptions): Promise<Engine> {
  return options.engineUrl === undefined ? openEmbeddedEngine(options) : openExternalEngine(options.engineUrl, options);
}
