import { openEngine } from '../../src/engine/open.ts';
import { atMost, median, seconds, spread, timed, type Figure, type Scenario } from '../figure.ts';
import { startServer, withDirectory } from '../server-process.ts';

const FIRST_STARTS = 3;
const LATER_STARTS = 3;

/** From spawn to `ready:`, in a fresh data directory and in one that has been used, against the engine alone. */
export const start: Scenario = {
  name: 'start',
  run: async () => {
    const first: number[] = [];
    const later: number[] = [];
    const engineFirst: number[] = [];
    const engineLater: number[] = [];
    for (let round = 0; round < FIRST_STARTS; round += 1) {
      await withDirectory(async (dataDir) => {
        for (let start = 0; start <= LATER_STARTS; start += 1) {
          const server = await startServer({ dataDir });
          (start === 0 ? first : later).push(server.readyMs);
          await server.stop();
        }
      });
      await withDirectory(async (dataDir) => {
        for (let start = 0; start <= LATER_STARTS; start += 1) {
          (start === 0 ? engineFirst : engineLater).push(await startEngine(dataDir));
        }
      });
    }
    const figure = (name: string, ours: number[], engine: number[], bound: number): Figure => ({
      name: `start: ${name}`,
      measured: spread(ours, seconds),
      baseline: `${seconds(median(engine))} engine alone`,
      result: seconds(median(ours)),
      bound: atMost(median(ours) / 1000, bound, ' s'),
    });
    return [figure('first', first, engineFirst, 2.5), figure('later', later, engineLater, 0.8)];
  },
};

async function startEngine(dataDir: string): Promise<number> {
  let close: () => Promise<void> = () => Promise.resolve();
  const ms = await timed(async () => {
    const engine = await openEngine({ dataDir, database: 'trailhound', maxClients: 100, poolSize: 8 });
    close = () => engine.close();
  });
  await close();
  return ms;
}
