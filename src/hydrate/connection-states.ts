import type { Pool } from '../engine/pool.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import { SourceError } from '../sources/source.ts';
import { Batches } from './batches.ts';

interface State {
  readonly name: string;
  /** What its last request failed with. */
  readonly error: string | undefined;
  readonly since: number;
}

export interface ConnectionStatesOptions {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How connections fare, for `trailhound.connection`: written down where it changes. */
export class ConnectionStates {
  readonly #options: ConnectionStatesOptions;
  readonly #states = new Map<string, State>();
  readonly #batches: Batches<State>;

  constructor(options: ConnectionStatesOptions) {
    this.#options = options;
    this.#batches = new Batches({
      size: 100,
      write: (states) => this.#write(states),
      lost: (error) => options.log.warn({ err: error }, 'the state of a connection could not be recorded'),
    });
  }

  answered(name: string): void {
    this.#set(name, undefined);
  }

  /** What is wrong with the request alone says nothing of the connection. */
  failed(error: unknown): void {
    if (!(error instanceof SourceError)) return;
    switch (error.kind) {
      case 'credentials':
      case 'unreachable':
      case 'throttled':
      case 'quota':
      case 'nonsense':
        return this.#set(error.connection, error.message);
      case 'not_found':
      case 'invalid_request':
        return;
    }
  }

  flush(): Promise<void> {
    return this.#batches.flush();
  }

  #set(name: string, error: string | undefined): void {
    const known = this.#states.get(name);
    if (known !== undefined && known.error === error) return;
    const state = { name, error, since: this.#options.clock.now() };
    this.#states.set(name, state);
    void this.#batches.add(name, state);
  }

  async #write(states: readonly State[]): Promise<void> {
    await this.#options.pool.query(
      `update trailhound.connection_entry as e
          set state = case when s.error is null then 'ready' else 'failed' end, error = s.error, since = s.since
         from unnest($1::text[], $2::text[], $3::timestamptz[]) as s (name, error, since)
        where e.name = s.name`,
      [
        states.map(({ name }) => name),
        states.map(({ error }) => error ?? null),
        states.map(({ since }) => new Date(since).toISOString()),
      ],
    );
  }
}
