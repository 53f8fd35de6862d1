import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import readline from 'node:readline/promises';
import { isStatementFailure } from '../hunts/statement-failure.ts';
import { scanTokens } from '../sql/parse.ts';
import type { ConsoleSession } from './console-session.ts';
import { describeRelation, listRelations } from './describe-relations.ts';
import type { Output } from './output/row-writer.ts';
import { printStatementFailure } from './print-error.ts';
import { printResult } from './print-result.ts';
import { say, writeOut } from './terminal.ts';

export interface ShellOptions {
  /** Keeps the history. */
  readonly dataDir: string;
  readonly output: Output;
  /** Default: the terminal. */
  readonly input?: NodeJS.ReadableStream;
}

const HISTORY_LINES = 1_000;

const HELP = `\\d            tables and views
\\d NAME       columns of one, with what they hold
\\timing       show how long statements take (on, off)
\\q            leave; so does Ctrl-D
A statement ends with a semicolon and may take several lines. Ctrl-C cancels the one that runs.`;

/** A small psql for who has none. Failing statements are shown; only the end of input leaves it. */
export async function runShell(session: ConsoleSession, options: ShellOptions): Promise<void> {
  const historyFile = path.join(options.dataDir, 'history');
  const terminal = readline.createInterface({
    input: options.input ?? process.stdin,
    output: process.stdout,
    history: await readHistory(historyFile),
    historySize: HISTORY_LINES,
    removeHistoryDuplicates: true,
  });
  let history: readonly string[] = [];
  terminal.on('history', (lines: readonly string[]) => (history = [...lines]));
  const shell = new Shell(session, options.output);
  say('Type \\? for help.');
  terminal.setPrompt(shell.prompt);
  // In raw mode Ctrl-C is a key: it drops what was typed, or cancels what runs.
  terminal.on('SIGINT', () => {
    if (shell.running) void session.client.cancel().catch(() => undefined);
    else {
      shell.reset();
      process.stdout.write('\n');
      terminal.setPrompt(shell.prompt);
      terminal.prompt();
    }
  });
  terminal.prompt();
  try {
    for await (const line of terminal) {
      if ((await shell.line(line)) === 'leave') break;
      terminal.setPrompt(shell.prompt);
      terminal.prompt();
    }
  } finally {
    terminal.close();
    await writeFile(historyFile, `${[...history].reverse().join('\n')}\n`, { mode: 0o600 });
  }
}

/** Newest first, as readline wants it. */
async function readHistory(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .reverse()
    .slice(0, HISTORY_LINES);
}

class Shell {
  readonly #session: ConsoleSession;
  readonly #output: Output;
  #text = '';
  #timing = false;
  #running = false;

  constructor(session: ConsoleSession, output: Output) {
    this.#session = session;
    this.#output = output;
  }

  get running(): boolean {
    return this.#running;
  }

  get prompt(): string {
    return this.#text === '' ? 'trailhound=> ' : 'trailhound-> ';
  }

  reset(): void {
    this.#text = '';
  }

  async line(line: string): Promise<'leave' | 'stay'> {
    if (this.#text === '' && line.trim() === '') return 'stay';
    if (this.#text === '' && line.trimStart().startsWith('\\')) return this.#metaCommand(line.trim());
    this.#text += `${line}\n`;
    if (!isComplete(this.#text)) return 'stay';
    const text = this.#text;
    this.reset();
    await this.#attempt(text, async () => {
      await printResult(this.#session.client.run(text), this.#output, () => this.#session.progress.end());
    });
    return 'stay';
  }

  async #metaCommand(line: string): Promise<'leave' | 'stay'> {
    const [name, argument] = line.replace(/;$/, '').split(/\s+/, 2);
    const { client } = this.#session;
    if (name === '\\q') return 'leave';
    if (name === '\\d' || name === '\\dt' || name === '\\dv' || name === '\\d+') {
      await this.#attempt(undefined, async () => {
        if (argument === undefined) await writeOut(await listRelations(client));
        else await writeOut(await describeRelation(client, argument));
      });
    } else if (name === '\\timing') {
      this.#timing = argument === undefined ? !this.#timing : argument === 'on';
      say(`Timing is ${this.#timing ? 'on' : 'off'}.`);
    } else {
      say(name === '\\?' ? HELP : `${String(name)} is not known; \\? shows what is.`);
    }
    return 'stay';
  }

  async #attempt(text: string | undefined, work: () => Promise<void>): Promise<void> {
    const { progress } = this.#session;
    const started = performance.now();
    this.#running = true;
    progress.begin();
    try {
      await work();
    } catch (error) {
      progress.end();
      if (!isStatementFailure(error)) throw error;
      printStatementFailure(error, text);
    } finally {
      progress.end();
      this.#running = false;
    }
    if (this.#timing) say(`Time: ${(performance.now() - started).toFixed(1)} ms`);
  }
}

/** Ends with a semicolon that stands outside of quotes and comments, by PostgreSQL's own scanner. */
export function isComplete(text: string): boolean {
  try {
    return scanTokens(text).findLast((token) => token.kind !== 'comment')?.text === ';';
  } catch {
    // An open quote, which the scanner refuses, goes on in the next line.
    return false;
  }
}
