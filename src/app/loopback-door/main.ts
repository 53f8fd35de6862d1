import { type AddressInfo, createServer, type Socket } from 'node:net';
import { callerIn } from '../../engine/caller.ts';
import { encodeErrorResponse } from '../../wire/backend/error-response.ts';
import { decodeStartupMessage } from '../../wire/frontend/startup-message.ts';
import { readStartupPacket, type StartupPacket } from '../../wire/startup-packet.ts';
import type { FromDoor, ToDoor } from './messages.ts';

/** The door as a process: see LoopbackDoor. It knows no secret, and speaks to its server alone. */

/** A server that works, and whose engine does, answers within milliseconds, or is busy for a moment. */
const PATIENCE_MS = 2_000;
/** PostgreSQL's backends send all at once. */
const START_UP_MS = 60_000;
/** Whoever is refused goes on, or gives up, at once. */
const FAREWELL_MS = 10_000;
const LOOK_MS = 1_000;

const own = new Set<number>();
/** By their numbers. */
const questions = new Map<number, (mayEnter: boolean) => void>();
let asked = 0;
let isSilent = false;

/** The least: as soon as anything waits in a socket's own buffer, no more is read of its connection (startUp). */
const highWaterMark = 1;

const server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark }, (socket) => {
  socket.on('error', () => socket.destroy());
  void receive(socket);
});

process.on('message', (message: ToDoor) => {
  switch (message.kind) {
    case 'own':
      if (message.is) own.add(message.pid);
      else own.delete(message.pid);
      return;
    case 'answered':
      isSilent = false;
      questions.get(message.question)?.(message.mayEnter);
      return;
  }
});
// However the server ended. Where it did while a connection was on its way to it, Node waits for ever for the receipt, and tells nothing.
process.on('disconnect', () => process.exit());
setInterval(() => {
  if (!process.connected) process.exit();
}, LOOK_MS);

server.listen(0, process.argv[2], () => tell({ kind: 'listening', port: (server.address() as AddressInfo).port }));

function tell(message: FromDoor, socket?: Socket): void {
  process.send?.(message, socket, {}, () => undefined);
}

async function receive(socket: Socket): Promise<void> {
  const opened = await startUp(socket);
  if (opened === undefined) return void socket.destroy();
  if (await mayEnter(opened.packet)) {
    if (!socket.destroyed) tell({ kind: 'connected', head: opened.head.toString('base64') }, socket);
    return;
  }
  const fields = new Map([
    ['S', 'FATAL'],
    ['V', 'FATAL'],
    // Makes libpq go on to the next host.
    ['C', '57P03'],
    ['M', 'another process serves this backend, or does not answer'],
  ]);
  socket.end(encodeErrorResponse({ fields }));
  // Until its end has been read, a connection stays open.
  socket.resume();
  socket.setTimeout(FAREWELL_MS, () => socket.destroy());
}

async function mayEnter(packet: StartupPacket): Promise<boolean> {
  // Whoever cancels a scan has connected for it before.
  if (packet.kind !== 'startup') return true;
  let pid: number | undefined;
  try {
    const { parameters } = decodeStartupMessage(packet.packet);
    pid = callerIn(parameters.findLast(([name]) => name === 'application_name')?.[1]);
  } catch {
    // The server says what is wrong with it.
    return true;
  }
  return (pid !== undefined && own.has(pid)) || ask(pid);
}

/** While the server is silent it is asked as well: by its answer it is known to work again. */
function ask(pid: number | undefined): Promise<boolean> {
  asked += 1;
  const question = asked;
  const wasSilent = isSilent;
  return new Promise((resolve) => {
    const answered = (mayEnter: boolean) => {
      clearTimeout(timer);
      questions.delete(question);
      resolve(mayEnter);
    };
    const timer = setTimeout(
      () => {
        isSilent = true;
        answered(false);
      },
      wasSilent ? 0 : PATIENCE_MS,
    );
    questions.set(question, answered);
    tell({ kind: 'asked', question, pid });
  });
}

/** Up to the start-up packet, encryption refused; undefined where none comes. */
function startUp(socket: Socket): Promise<{ readonly packet: StartupPacket; readonly head: Buffer } | undefined> {
  return new Promise((resolve) => {
    let received: Buffer = Buffer.alloc(0);
    const done = (opened: { packet: StartupPacket; head: Buffer } | undefined) => {
      clearTimeout(timer);
      socket.off('data', read);
      socket.pause();
      resolve(opened);
    };
    const timer = setTimeout(() => done(undefined), START_UP_MS);
    const read = (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      try {
        const found = readStartupPacket(received);
        if (found.state === 'tls') done(undefined);
        if (found.state !== 'packet') return;
        const isEncryption = found.packet.kind === 'ssl-request' || found.packet.kind === 'gssenc-request';
        if (!isEncryption) {
          done({ packet: found.packet, head: received });
          // What comes after it is its next owner's, and paused alone the socket would read on, and lose that.
          socket.unshift(chunk);
        } else if (found.rest.length > 0) done(undefined);
        else {
          received = Buffer.alloc(0);
          socket.write('N');
        }
      } catch {
        done(undefined);
      }
    };
    socket.on('data', read);
    socket.once('end', () => done(undefined));
    socket.once('close', () => done(undefined));
  });
}
