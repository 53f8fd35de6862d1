import type { Rewrite } from '../query/pipeline.ts';
import type { Outcome } from './expected.ts';
import type { TransactionStatus } from '../wire/backend/ready-for-query.ts';

export interface VirtualPortal {
  readonly rewrite: Rewrite;
  /** What the client prepared. */
  readonly text: string;
}

/** Portals that run a rewritten statement, and the relations that must stay until they are done. */
export class VirtualPortals {
  readonly #byName = new Map<string, VirtualPortal>();
  #finished: Rewrite[] = [];
  #held: Rewrite[] = [];

  get empty(): boolean {
    return this.#byName.size === 0;
  }

  get(name: string): VirtualPortal | undefined {
    return this.#byName.get(name);
  }

  open(name: string, portal: VirtualPortal): void {
    this.close(name);
    this.#byName.set(name, portal);
  }

  close(name: string): void {
    const portal = this.#byName.get(name);
    if (portal === undefined) return;
    this.#byName.delete(name);
    this.done(portal.rewrite);
  }

  /** For a Bind that is PostgreSQL's alone: where it succeeds, no portal of that name was left. */
  replaced(name: string): (outcome: Outcome) => void {
    return (outcome) => {
      if (outcome === 'done') this.close(name);
    };
  }

  /** Until the segment has ended its locks are held; cursors may read its relations until the transaction has. */
  done(rewrite: Rewrite): void {
    rewrite.ended?.();
    (rewrite.holdUntilTransactionEnd ? this.#held : this.#finished).push(rewrite);
  }

  ready(status: TransactionStatus): void {
    if (status === 'I') this.releaseAll();
    else this.#release(this.#finished.splice(0));
  }

  /** No portal outlives its transaction, or the connection. */
  releaseAll(): void {
    for (const name of [...this.#byName.keys()]) this.close(name);
    this.#release(this.#finished.splice(0));
    this.#release(this.#held.splice(0));
  }

  #release(rewrites: readonly Rewrite[]): void {
    for (const rewrite of rewrites) void rewrite.release();
  }
}
