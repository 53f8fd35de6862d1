import type { ProcessOptions } from '../src/simulator/process-options.ts';
import { spawnSimulator, type SimulatorProcess } from '../src/simulator/spawn-simulator.ts';
import { singleLogGroup } from '../src/simulator/world.ts';

const DAY_MS = 86_400_000;
export const DAY_START_MS = Date.UTC(2026, 0, 1);

/** So many made-up events of one day in one log group, served from a process of its own. */
export async function withSimulator<T>(
  events: number,
  work: (simulator: SimulatorProcess) => Promise<T>,
  options: Omit<ProcessOptions, 'world'> = {},
): Promise<T> {
  const from = DAY_START_MS;
  const simulator = await spawnSimulator({
    ...options,
    world: singleLogGroup({ synthetic: { count: events, from, to: from + DAY_MS } }),
  });
  try {
    return await work(simulator);
  } finally {
    await simulator.close();
  }
}
