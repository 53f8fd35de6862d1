import { connectBeside, type Pool } from './pool.ts';

const RECONNECT_MS = 1_000;

export interface ListenerOptions {
  readonly pool: Pool;
  readonly channel: string;
  /** Called when somebody has notified, whoever that is; without a payload where one may have while the connection was lost. */
  readonly heard: (payload?: string) => void;
}

/** A connection of its own that listens on a channel, and comes back when the engine does. */
export class Listener {
  readonly #options: ListenerOptions;
  #client: Awaited<ReturnType<typeof connectBeside>> | undefined;
  #reconnect: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    const { pool, channel, heard } = this.#options;
    const client = await connectBeside(pool);
    client.on('notification', ({ payload }) => heard(payload));
    const state: { at: 'opening' | 'listening' | 'ended' } = { at: 'opening' };
    client.once('end', () => {
      const wasListening = state.at === 'listening';
      state.at = 'ended';
      if (this.#client === client) this.#client = undefined;
      // Before, it is who opens it that tries again.
      if (wasListening && !this.#closed) this.#openLater();
    });
    if (this.#closed) return client.end();
    this.#client = client;
    await client.query(`listen ${client.escapeIdentifier(channel)}`);
    if (state.at === 'ended') throw new Error('the connection ended as it began to listen');
    state.at = 'listening';
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#reconnect);
    await this.#client?.end().catch(() => undefined);
  }

  #openLater(): void {
    this.#reconnect = setTimeout(() => {
      this.open().then(
        () => this.#options.heard(),
        () => {
          if (!this.#closed) this.#openLater();
        },
      );
    }, RECONNECT_MS);
  }
}
