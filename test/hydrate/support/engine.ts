import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '../../../src/engine/engine.ts';
import { openEngine } from '../../../src/engine/open.ts';
import { setUpSchema } from '../../../src/engine/schema.ts';

export interface TestEngine {
  readonly engine: Engine;
  /** Stops the engine and starts it again on the same data directory. */
  restart(): Promise<Engine>;
  close(): Promise<void>;
}

export async function openTestEngine(): Promise<TestEngine> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trailhound-hydrate-'));
  const open = () => openEngine({ dataDir, database: 'trailhound', maxClients: 10, poolSize: 8 });
  let engine = await open();
  await setUpSchema(engine, { password: 'made for this test' });
  return {
    get engine() {
      return engine;
    },
    restart: async () => {
      await engine.close();
      engine = await open();
      return engine;
    },
    close: async () => {
      await engine.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
