import { createLogger } from '../../../src/kernel/log.ts';
import { createSessionServer, type SessionServer, type SessionServerOptions } from '../../../src/session/server.ts';
import { openTestEngine, DATABASE, PASSWORD, USER } from './engine.ts';
import { FakePipeline } from './fake-pipeline.ts';
import { connectTcp, logIn, type LogIn, WireClient } from './wire-client.ts';
import type { Engine } from '../../../src/engine/engine.ts';

export interface TestEndpoint {
  readonly engine: Engine;
  readonly pipeline: FakePipeline;
  readonly server: SessionServer;
  readonly port: number;
  /** Logged in, the start-up's messages read. */
  connect(as?: Partial<LogIn>): Promise<WireClient>;
  /** The same, past us: what the answers are held against. */
  connectDirectly(as?: Partial<LogIn>): Promise<WireClient>;
  close(): Promise<void>;
}

export async function openTestEndpoint(options: Partial<SessionServerOptions> = {}): Promise<TestEndpoint> {
  const { engine, close } = await openTestEngine(options.limits?.maxConnections);
  const pipeline = new FakePipeline();
  const server = createSessionServer({
    engine,
    pipeline,
    limits: { maxConnections: 20 },
    log: createLogger('silent'),
    ...options,
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  const who = (as: Partial<LogIn>): LogIn => ({ user: USER, password: PASSWORD, database: DATABASE, ...as });
  const clients: WireClient[] = [];
  const open = async (client: WireClient, as: Partial<LogIn>) => {
    clients.push(client);
    const messages = await logIn(client, who(as));
    if (messages.at(-1)?.type !== 'Z')
      throw new Error(`no log-in: ${messages.map((message) => message.type).join('')}`);
    return client;
  };
  return {
    engine,
    pipeline,
    server,
    port,
    connect: async (as = {}) => open(new WireClient(await connectTcp(port)), as),
    connectDirectly: async (as = {}) => open(new WireClient(await engine.connectBackend()), as),
    close: async () => {
      for (const client of clients) client.close();
      await server.close(0);
      await close();
    },
  };
}
