import type { ClientBackend } from '../query/backend.ts';
import { encodeSync } from '../wire/frontend/sync.ts';
import type { BackendLink, Settled } from './backend-link.ts';
import { NOTHING } from './filters.ts';

/**
 * Lets what comes next begin a transaction. What Parse and Describe, and queries of ours, have begun is ended: they have
 * changed nothing that a transaction could lose. False: the client is in a block, or something of its own has run.
 */
export async function ownTransaction(link: BackendLink): Promise<boolean> {
  if (!mayBegin(link) || (await link.settle()) !== 'ready' || !mayBegin(link)) return false;
  await swallowedSync(link);
  return !link.gone;
}

/**
 * Waits as `settle` does. Where a block has begun or ended since the last Sync, only another one tells: inside a block, and
 * right behind one, it changes nothing else.
 */
export async function settleBlock(link: BackendLink): Promise<Settled> {
  const settled = await link.settle();
  if (settled !== 'ready' || !link.queue.blockChanged) return settled;
  await swallowedSync(link);
  return link.settle();
}

/**
 * Outside of a block: makes what comes next part of an implicit one, as all statements of a Query of several are. In the
 * extended protocol PostgreSQL begins that with the second Execute (start_xact_command in tcop/postgres.c), so one comes before
 * that changes nothing and takes no snapshot. Rejects with BackendError, BackendGone.
 */
export async function implicitBlock({ queue }: BackendLink, backend: ClientBackend): Promise<void> {
  if (queue.status === 'I') await backend.query({ text: 'show transaction_isolation' });
}

/** Cheap. */
export function mayBegin({ queue }: BackendLink): boolean {
  return queue.status === 'I' && !queue.hasRun;
}

/** A Sync of ours: the client does not see that it was answered. */
export function swallowedSync(link: BackendLink): Promise<void> {
  if (!link.queue.segmentOpen) return Promise.resolve();
  return new Promise((resolve) => {
    link.send(encodeSync(), { kind: 'sync', filter: NOTHING, onEnd: () => resolve() });
    link.flush();
  });
}
