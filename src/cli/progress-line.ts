import type { Notice } from '../hunts/sql-client.ts';
import { printable } from './output/printable.ts';
import { isTerminal, say } from './terminal.ts';

const REDRAW_MS = 1_000;
/** What the server says under `trailhound.progress`: `abuseipdb_check_ip: 20 rows, 20 of 61 calls done`. */
const PROGRESS = /^\S+: \d+ rows, \d+(?: of \d+)? calls done$/;

/** The last line of a terminal's stderr while a statement runs: what has been fetched and for how long. */
export class ProgressLine {
  readonly enabled = isTerminal.stderr();
  #timer: NodeJS.Timeout | undefined;
  #started = 0;
  #state = '';
  #shown = false;

  begin(): void {
    if (!this.enabled) return;
    this.#started = Date.now();
    this.#state = '';
    this.#timer = setInterval(() => this.#draw(), REDRAW_MS);
  }

  /** A NOTICE is either progress or something to say. */
  notice(notice: Notice): void {
    if (this.enabled && PROGRESS.test(notice.message)) {
      this.#state = notice.message;
      this.#draw();
      return;
    }
    this.#erase();
    say(`${notice.severity}:  ${printable(notice.message)}`);
    if (notice.detail) say(`DETAIL:  ${printable(notice.detail)}`);
    if (notice.hint) say(`HINT:  ${printable(notice.hint)}`);
  }

  /** Call it before anything else is written. */
  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#erase();
  }

  #draw(): void {
    if (this.#timer === undefined) return;
    const seconds = Math.round((Date.now() - this.#started) / 1000);
    const text = printable(`${this.#state === '' ? 'running' : this.#state}, ${seconds} s`);
    process.stderr.write(`\r\u001b[K${text.slice(0, (process.stderr.columns || 80) - 1)}`);
    this.#shown = true;
  }

  #erase(): void {
    if (this.#shown) process.stderr.write('\r\u001b[K');
    this.#shown = false;
  }
}
