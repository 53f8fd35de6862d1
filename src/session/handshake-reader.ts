import type { Duplex } from 'node:stream';
import { violation } from '../wire/payload-reader.ts';
import { type StartupRead, readStartupPacket } from '../wire/startup-packet.ts';

const HEADER = 5;

/** More than any message before authentication: a peer that sends on is not read further. */
const MAX_RECEIVED = 128 * 1024;

export interface TypedMessage {
  readonly type: string;
  readonly payload: Buffer;
}

/** The other side closed or broke the connection. */
export class PeerGone extends Error {
  constructor() {
    super('the connection was closed');
    this.name = 'PeerGone';
  }
}

/** Reads a stream message by message as long as both sides take turns; afterwards `detach` hands over what is left. */
export class HandshakeReader {
  readonly #stream: Duplex;
  #received: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on('data', this.#data);
    stream.on('end', this.#end);
    stream.on('close', this.#end);
    stream.on('error', this.#end);
    stream.resume();
  }

  async startupPacket(): Promise<Exclude<StartupRead, { state: 'incomplete' }>> {
    for (;;) {
      const read = this.#received.length === 0 ? ({ state: 'incomplete' } as const) : readStartupPacket(this.#received);
      if (read.state === 'packet') this.#received = read.rest;
      if (read.state !== 'incomplete') return read;
      await this.#more();
    }
  }

  /** `limit`: the largest payload allowed. */
  async message(limit: number): Promise<TypedMessage> {
    for (;;) {
      if (this.#received.length >= HEADER) {
        const length = this.#received.readUInt32BE(1);
        if (length < HEADER - 1 || length - HEADER + 1 > limit) throw violation('invalid message length');
        if (this.#received.length > length) {
          const type = this.#received.toString('latin1', 0, 1);
          const payload = this.#received.subarray(HEADER, length + 1);
          this.#received = this.#received.subarray(length + 1);
          this.#stream.resume();
          return { type, payload };
        }
      }
      await this.#more();
    }
  }

  /** Stops reading; the error listener stays, so that a reset between two owners of the stream ends no process. */
  detach(): Buffer {
    this.#stream.off('data', this.#data);
    this.#stream.off('end', this.#end);
    this.#stream.pause();
    return this.#received;
  }

  readonly #data = (chunk: Buffer) => {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    if (this.#received.length > MAX_RECEIVED) this.#stream.pause();
    this.#wake?.();
  };

  readonly #end = () => {
    this.#ended = true;
    this.#wake?.();
  };

  async #more(): Promise<void> {
    if (this.#ended) throw new PeerGone();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }
}
