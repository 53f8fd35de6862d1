import { pino } from 'pino';
import { Closers } from '../../src/app/closers.ts';
import { serveLoopback } from '../../src/app/loopback.ts';
import { ProcessLock } from '../../src/engine/process-lock.ts';
import { Client } from '../../src/engine/client.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { QueryPipeline } from '../../src/query/pipeline.ts';
import { createSessionServer } from '../../src/session/server.ts';

export interface Login {
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** The pipeline behind a real endpoint, and what is below views and in functions behind the loopback. */
export async function openEndpoint(engine: Engine, pipeline: QueryPipeline, login: Login) {
  const log = pino({ level: 'silent' });
  const closers = new Closers();
  const lock = new ProcessLock(engine.pool);
  closers.push(() => lock.release());
  await serveLoopback({ engine, pipeline, lock, isOwn: () => true, closers, log });
  const sessions = createSessionServer({ engine, pipeline, limits: { maxConnections: 10 }, log });
  closers.push(() => sessions.close(0));
  const host = '127.0.0.1';
  const { port } = await sessions.listen({ host, port: 0 });
  const client = new Client({ ...login, host, port });
  await client.connect();
  return {
    client,
    close: async () => {
      await client.end();
      await closers.close('immediately');
    },
  };
}
