import { closeSync, openSync, renameSync, writeSync } from 'node:fs';

const MAX_BYTES = 4 * 1024 * 1024;
/** Enough to say why a start failed. */
const TAIL_CHARACTERS = 2000;

/** PostgreSQL's log, in at most two files of 4 MiB: `engine.log` and, before it, `engine.log.1`. */
export interface LogFile {
  write(chunk: Buffer): void;
  /** The last words, for messages. */
  tail(): string;
  close(): void;
}

export function openLogFile(path: string): LogFile {
  let bytes = 0;
  let tail = '';
  let file: number | undefined = rotate(path);
  return {
    write(chunk) {
      if (file === undefined) return;
      tail = (tail + chunk.toString('utf8')).slice(-TAIL_CHARACTERS);
      if (bytes + chunk.length > MAX_BYTES) {
        closeSync(file);
        file = rotate(path);
        bytes = 0;
      }
      try {
        writeSync(file, chunk);
        bytes += chunk.length;
      } catch {
        // A full disk must not end the server: the log is a convenience.
      }
    },
    tail: () => tail.trim(),
    close() {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

function rotate(path: string): number {
  try {
    renameSync(path, `${path}.1`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return openSync(path, 'w', 0o600);
}
