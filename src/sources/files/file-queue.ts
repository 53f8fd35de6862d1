import type { CallContext } from '../source.ts';
import type { FilesConnection } from './connection.ts';
import type { Troubles } from './read-file.ts';
import type { CompiledScan } from './scan-plan.ts';
import type { Listed, Store } from './store.ts';

export interface ConnectionStore {
  readonly connection: FilesConnection;
  readonly store: Store;
}

export interface QueuedFile {
  readonly connection: FilesConnection;
  readonly path: string;
  open(): Promise<AsyncIterable<Uint8Array>>;
}

type QueuedFiles = AsyncGenerator<{ readonly file: QueuedFile; readonly ahead: number }, void, undefined>;

/**
 * The files of all connections, listed and opened as far ahead as their stores say: whoever is free takes the next one.
 * Listing and opening go on by themselves until the context that they were begun with is aborted.
 */
export class FileQueue {
  readonly #stores: readonly ConnectionStore[];
  readonly #scan: CompiledScan;
  readonly #troubles: Troubles;
  readonly #queued: QueuedFile[] = [];
  readonly #listed: Listed[] = [];
  readonly #files = new Map<string, number>();
  #listing: QueuedFiles | undefined;
  #filling = false;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #waiting: (() => void)[] = [];

  constructor(stores: readonly ConnectionStore[], scan: CompiledScan, troubles: Troubles) {
    this.#stores = stores;
    this.#scan = scan;
    this.#troubles = troubles;
  }

  /** Undefined after the last one. A failed listing is told to one caller. */
  async next(context: CallContext): Promise<QueuedFile | undefined> {
    this.#listing ??= this.#list(context);
    for (;;) {
      const file = this.#queued.shift();
      if (!this.#filling && !this.#ended) void this.#fill(this.#listing);
      if (file !== undefined) return file;
      if (this.#ended) break;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
    return undefined;
  }

  /** What was searched, and where that is less than the configuration says. */
  tell(context: CallContext): void {
    for (const [connection, count] of this.#files) {
      context.searched?.(
        `${count.toLocaleString('en-US')} ${count === 1 ? 'file' : 'files'} of connection ${connection}`,
      );
    }
    const notice = (message: string) => context.notice('NOTICE', message);
    const unmatched = this.#listed.flatMap((listed) => listed.unmatched);
    if (unmatched.length > 0) notice(`no file matches ${unmatched.join(', ')}`);
    else if (this.#files.size === 0) notice('no file satisfies the conditions on its path, account, region and time');
    for (const { otherNames } of this.#listed) {
      if (otherNames.count === 0) continue;
      notice(
        `${otherNames.count} files were not read, as their names end in none of .json, .jsonl, .ndjson, .gz, .zst; the first: ${otherNames.first}`,
      );
    }
  }

  /** Until there are enough for now. */
  async #fill(listing: QueuedFiles): Promise<void> {
    this.#filling = true;
    try {
      for (;;) {
        const next = await listing.next();
        if (next.done === true) {
          this.#ended = true;
          break;
        }
        this.#queued.push(next.value.file);
        this.#wake();
        if (this.#queued.length > next.value.ahead) break;
      }
    } catch (error) {
      this.#failure = { error };
      this.#ended = true;
    }
    this.#filling = false;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  async *#list(context: CallContext): QueuedFiles {
    for (const { connection, store } of this.#stores) {
      const wanted = {
        folder: (path: string) => this.#scan.isFolderWanted(connection, path),
        allBelow: (path: string) => this.#scan.isAllBelowWanted(path),
        file: (path: string) => this.#scan.isFileWanted(connection, path),
        failed: (error: Parameters<Troubles['unreadable']>[0]) => this.#troubles.unreadable(error, true),
      };
      const files = store.list(wanted, context);
      for (let next = await files.next(); ; next = await files.next()) {
        if (next.done === true) {
          this.#listed.push(next.value);
          break;
        }
        this.#files.set(connection.name, (this.#files.get(connection.name) ?? 0) + 1);
        const file = next.value;
        const { path } = file;
        const ahead = store.openedAhead;
        yield {
          file: { connection, path, open: ahead > 0 ? begun(file.open(context)) : () => file.open(context) },
          ahead,
        };
      }
    }
  }
}

/** What waits to be taken fails when it is taken. */
function begun<T>(promise: Promise<T>): () => Promise<T> {
  promise.catch(() => undefined);
  return () => promise;
}
