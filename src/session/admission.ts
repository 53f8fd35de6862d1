import { TrailhoundError } from '../kernel/errors.ts';

export interface Limits {
  /** Clients at once; the next is told 53300. */
  readonly maxConnections: number;
  /** Of one address; behind a proxy all are of one. Unlimited by default. */
  readonly maxConnectionsPerAddress?: number | undefined;
  /** Connections that have sent no start-up message yet: one more, and the oldest of them ends. 1,000 by default. */
  readonly maxHalfOpen?: number | undefined;
  /** From the connection to the end of log-in. PostgreSQL's authentication_timeout, 60 s, by default. */
  readonly authenticationTimeoutMs?: number | undefined;
}

/** A connection as far as it is counted. */
export interface Arrival {
  readonly remoteAddress?: string | undefined;
  destroy(): void;
}

const MAX_HALF_OPEN = 1_000;

/** Who may come in: how many at once, how many of one address, and how many that do not say what they want. */
export class Admission {
  readonly #limits: Limits;
  readonly #halfOpen = new Set<Arrival>();
  readonly #byAddress = new Map<string, number>();
  #connections = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Clients that are logged in, or about to be. */
  get connections(): number {
    return this.#connections;
  }

  /** A connection that has said nothing yet. To be called: what is returned, as soon as it has, or has gone. */
  arrived(arrival: Arrival): () => void {
    const [oldest] = this.#halfOpen;
    // Not the newest: whoever holds all places by saying nothing would keep everybody else out.
    if (oldest !== undefined && this.#halfOpen.size >= (this.#limits.maxHalfOpen ?? MAX_HALF_OPEN)) {
      this.#halfOpen.delete(oldest);
      oldest.destroy();
    }
    this.#halfOpen.add(arrival);
    return () => void this.#halfOpen.delete(arrival);
  }

  /** Throws what a client is told for whom there is no room. To be called: what is returned, once, when it has gone. */
  admit({ remoteAddress: address = '' }: Arrival): () => void {
    const { maxConnections, maxConnectionsPerAddress = Number.POSITIVE_INFINITY } = this.#limits;
    if (this.#connections >= maxConnections) {
      throw new TrailhoundError('too_many_connections', 'sorry, too many clients already');
    }
    const before = this.#byAddress.get(address) ?? 0;
    if (before >= maxConnectionsPerAddress) {
      throw new TrailhoundError('too_many_connections', `too many connections from ${address}`, {
        detail: `It has ${String(before)}, as many as listen.max_connections_per_address allows.`,
      });
    }
    this.#connections += 1;
    this.#byAddress.set(address, before + 1);
    return () => {
      this.#connections -= 1;
      const left = (this.#byAddress.get(address) ?? 1) - 1;
      if (left === 0) this.#byAddress.delete(address);
      else this.#byAddress.set(address, left);
    };
  }
}
