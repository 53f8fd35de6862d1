import { TrailhoundError } from '../kernel/errors.ts';
import { BackendError, type ClientBackend } from '../query/backend.ts';

/** Before that nobody has looked into pg_stat_activity. */
const QUIET_MS = 1_000;
/** Of what a statement has taken so far: as much later it may end, because what comes next waits for the sleep. */
const SHARE = 0.05;
const LONGEST_MS = 500;
const QUERY_CANCELED = '57014';

/**
 * Lets pg_cancel_backend() end a statement that is being fetched for. PostgreSQL ignores a cancel while a backend waits for
 * its client: so it sleeps, a little at a time, once nothing has been asked of it for a while. What pg_stat_activity shows
 * then begins with the client's statement.
 */
export class CancelWatch {
  readonly #backend: Pick<ClientBackend, 'query'>;
  readonly #comment: string;
  readonly #canceled: (reason: TrailhoundError) => void;
  readonly #start = Date.now();
  #timer: NodeJS.Timeout | undefined;
  #sleeping: Promise<void> | undefined;
  #asked = 0;
  #ended = false;

  /**
   * @param text of the client's statement
   * @param canceled called once, at most
   */
  constructor(backend: Pick<ClientBackend, 'query'>, text: string, canceled: (reason: TrailhoundError) => void) {
    this.#backend = backend;
    this.#comment = commentOf(text);
    this.#canceled = canceled;
    this.#watch();
  }

  /** Meanwhile the backend works, and hears of a cancel by itself. */
  async while<T>(work: () => Promise<T>): Promise<T> {
    this.#asked += 1;
    clearTimeout(this.#timer);
    try {
      return await work();
    } finally {
      this.#asked -= 1;
      this.#watch();
    }
  }

  /** Resolves once the backend does not sleep any more: an error of that must not be one of what comes next. */
  async end(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#timer);
    await this.#sleeping;
  }

  #watch(): void {
    if (this.#ended || this.#asked > 0 || this.#sleeping !== undefined) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#sleeping = this.#sleep().finally(() => {
        this.#sleeping = undefined;
        this.#watch();
      });
    }, QUIET_MS);
  }

  async #sleep(): Promise<void> {
    try {
      while (!this.#ended && this.#asked === 0) {
        const ms = Math.min(LONGEST_MS, SHARE * (Date.now() - this.#start));
        await this.#backend.query({ text: `${this.#comment} select pg_catalog.pg_sleep(${String(ms / 1_000)})` });
      }
    } catch (error) {
      // Whatever else it is, what comes next fails with it, too.
      this.#ended = true;
      if (error instanceof BackendError && error.fields.get('C') === QUERY_CANCELED)
        this.#canceled(new TrailhoundError('query_canceled', error.message));
    }
  }
}

/** track_activity_query_size is 1,024 bytes unless it is set otherwise; nobody reads a statement of megabytes there. */
const LONGEST_COMMENT = 4_096;

/** Comments nest: what begins or ends one within the text must do so no more. */
function commentOf(text: string): string {
  const shown = text.slice(0, LONGEST_COMMENT).trim();
  return `/* ${shown.replace(/\*(?=\/)|\/(?=\*)/g, '$& ')} */`;
}
