import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Whoever is free takes the next file; in one piece, which is the quickest way that Node's zlib has. */
const CODE = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { readFileSync } = require('node:fs');
  const { gunzipSync } = require('node:zlib');
  const next = new Int32Array(workerData);
  parentPort.on('message', (paths) => {
    let bytes = 0;
    for (let at = Atomics.add(next, 0, 1); at < paths.length; at = Atomics.add(next, 0, 1)) {
      bytes += gunzipSync(readFileSync(paths[at])).length;
    }
    parentPort.postMessage(bytes);
  });
`;

/** What decompressing files takes, and nothing else: on as many threads as it is told, kept warm. */
export class DecompressingThreads {
  readonly #next = new SharedArrayBuffer(4);
  readonly #workers: readonly Worker[];

  constructor(threads: number) {
    this.#workers = Array.from({ length: threads }, () => new Worker(CODE, { eval: true, workerData: this.#next }));
  }

  /** Returns the bytes that came out. */
  async run(paths: readonly string[]): Promise<number> {
    new Int32Array(this.#next)[0] = 0;
    const answers = this.#workers.map((worker) => once(worker, 'message') as Promise<[number]>);
    for (const worker of this.#workers) worker.postMessage(paths);
    return (await Promise.all(answers)).reduce((sum, [bytes]) => sum + bytes, 0);
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
