import type { SimulatorOptions } from './options.ts';
import type { World } from './world.ts';

/** Options of a simulator in a process of its own: JSON, so no functions in them. */
export type ProcessOptions = Omit<SimulatorOptions, 'world' | 'now'> & {
  /** `demo`: the demo's, as of the process's start. */
  readonly world: World | 'demo';
};
