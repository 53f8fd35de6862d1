/** What a command says beside its result. Results go to stdout, everything else to stderr. */
export const isTerminal = {
  stdout: (): boolean => process.stdout.isTTY,
  stderr: (): boolean => process.stderr.isTTY,
  stdin: (): boolean => process.stdin.isTTY,
};

/** The reader of our output has gone (`… | head`): nothing is left to do, and nothing went wrong. */
export class OutputClosed extends Error {}

let closed = false;

/** Resolves when the reader can take more. */
export async function writeOut(text: string): Promise<void> {
  if (closed) throw new OutputClosed();
  if (text === '' || process.stdout.write(text)) return;
  await new Promise<void>((resolve, reject) => {
    const settle = () => {
      process.stdout.off('drain', settle).off('error', settle);
      if (closed) reject(new OutputClosed());
      else resolve();
    };
    process.stdout.on('drain', settle).on('error', settle);
  });
}

/** Without a listener, EPIPE would end the process with a stack trace. */
export function watchOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    closed = true;
  });
}

export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
