import { timingSafeEqual } from 'node:crypto';
import type { Engine } from '../engine/engine.ts';
import type { BackendKeyData } from '../wire/backend/backend-key-data.ts';
import { type CancelRequest, encodeCancelRequest } from '../wire/frontend/cancel-request.ts';

/** Who may be cancelled, by the backend's own pid and key. */
export class CancelKeys<T> {
  readonly #byPid = new Map<number, { readonly key: Buffer; readonly owner: T }>();

  add({ pid, key }: BackendKeyData, owner: T): void {
    this.#byPid.set(pid, { key, owner });
  }

  remove({ pid }: BackendKeyData, owner: T): void {
    if (this.#byPid.get(pid)?.owner === owner) this.#byPid.delete(pid);
  }

  has(pid: number): boolean {
    return this.#byPid.has(pid);
  }

  find(request: CancelRequest): T | undefined {
    const entry = this.#byPid.get(request.pid);
    if (entry?.key.length !== request.key.length) return undefined;
    return timingSafeEqual(entry.key, request.key) ? entry.owner : undefined;
  }
}

/** PostgreSQL answers a cancel in well under this; a client waits no longer for ours. */
const CANCEL_TIMEOUT_MS = 5_000;

/** Resolves when the engine has closed the connection, that is when its backend has been signalled. Never rejects. */
export async function forwardCancel(engine: Engine, key: BackendKeyData): Promise<void> {
  const stream = await engine.connectBackend().catch(() => undefined);
  if (stream === undefined) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => stream.destroy(), CANCEL_TIMEOUT_MS);
    stream.on('error', () => stream.destroy());
    stream.on('end', () => stream.destroy());
    stream.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
    stream.resume();
    stream.write(encodeCancelRequest(key));
  });
}
