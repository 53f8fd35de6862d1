import { chmod, rm } from 'node:fs/promises';
import type { Engine } from '../engine/engine.ts';
import { callerIn } from '../engine/caller.ts';
import { closeLoopback, isConnecting, isLastTried, openLoopback } from '../engine/loopback.ts';
import type { ProcessLock } from '../engine/process-lock.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import type { QueryPipeline } from '../query/pipeline.ts';
import { createSessionServer, type SessionServer } from '../session/server.ts';
import type { Closers } from './closers.ts';
import { LoopbackDoor } from './loopback-door/loopback-door.ts';

export interface LoopbackOptions {
  readonly engine: Engine;
  readonly pipeline: QueryPipeline;
  /** Tells other processes that this one lives. */
  readonly lock: ProcessLock;
  /** Whether that backend is a client's of this process. */
  readonly isOwn: (pid: number) => boolean;
  /** Gets whom to tell of each backend that is, or is no more, a client's of this process. */
  readonly owned?: (told: (pid: number, is: boolean) => void) => void;
  /** Gets what is opened here. */
  readonly closers: Closers;
  readonly log: Logger;
}

const RENEW_MS = 60_000;

/**
 * The private listener to which the engine's own backends turn for references that the planner left alone: below users'
 * views, in functions, in EXECUTE. They are clients like any other, and their statements take the same road.
 */
export async function serveLoopback(options: LoopbackOptions): Promise<void> {
  const { engine, pipeline, lock, isOwn, owned, closers, log } = options;
  const place = engine.loopback;
  if (place === undefined) {
    log.warn('the engine is on another machine: virtual tables below views and in functions cannot be read');
    return;
  }
  let door: LoopbackDoor | undefined;
  const sessions = createSessionServer({
    engine,
    // A table of which nobody has heard yet is looked for.
    pipeline: {
      mayConcern: (text, pid) => text.includes('FROM public.') || pipeline.mayConcern(text, pid),
      split: (text) => pipeline.split(text),
      rewrite: (request, backend) => pipeline.rewrite(request, backend),
    },
    // Each of them serves a client of ours: to make one wait would be a deadlock.
    limits: { maxConnections: Number.POSITIVE_INFINITY },
    callerOf: async (applicationName) => {
      const pid = callerIn(applicationName);
      if (pid === undefined || !(await isConnecting(engine, pid))) return undefined;
      if (isOwn(pid) || sessions.serves(pid) || (await isLastTried(engine, lock))) return pid;
      throw new TrailhoundError('engine_unavailable', 'another process serves this backend');
    },
    serving: (pid, is) => door?.own(pid, is),
    log,
  });
  // By then those whom it serves have ended.
  closers.push(async () => {
    await closeLoopback(engine, lock).catch((error: unknown) =>
      log.debug({ err: error }, 'the engine is gone before us'),
    );
    await sessions.close(0);
  });
  if (place.kind === 'tcp') {
    door = await openDoor(place.host, sessions, options);
    owned?.((pid, is) => door?.own(pid, is));
    return;
  }
  await rm(place.path, { force: true });
  await sessions.listen({ path: place.path });
  // The engine runs as another user when we are root; nobody else enters the directory.
  await chmod(place.path, 0o666);
  await openLoopback(engine, { host: place.directory, port: place.port }, lock);
}

/** Other processes may listen for the same engine. */
async function openDoor(host: string, sessions: SessionServer, options: LoopbackOptions): Promise<LoopbackDoor> {
  const { engine, lock, isOwn, closers, log } = options;
  let port = 0;
  const renew = () => {
    openLoopback(engine, { host, port }, lock).catch((error: unknown) =>
      log.debug({ err: error }, 'the engine does not answer'),
    );
  };
  const door = new LoopbackDoor({
    host,
    // Whoever hides which backend it is, is nobody's: the first that works serves it.
    mayEnter: async (pid) =>
      (pid !== undefined && isOwn(pid)) || (await isLastTried(engine, lock)) || pid === undefined,
    connected: (socket, head) => sessions.receive(socket, head),
    moved: (other) => {
      port = other;
      renew();
    },
    log,
  });
  closers.push(() => door.close());
  port = await door.open();
  await openLoopback(engine, { host, port }, lock);
  // A restart of the engine releases our lock: another process may have taken us for dead.
  lock.onRegained(renew);
  const timer = setInterval(renew, RENEW_MS);
  closers.push(async () => clearInterval(timer));
  return door;
}
