import { Fifo } from '../../kernel/fifo.ts';
import type { CallContext } from '../source.ts';
import type { FilesConnection } from './connection.ts';
import type { CompiledScan } from './scan-plan.ts';
import type { Listed, Store, StoredFile } from './store.ts';
import type { Troubles } from './troubles.ts';

export interface ConnectionStore {
  readonly connection: FilesConnection;
  readonly store: Store;
}

/** Of a store. Objects of buckets have been opened, or are being so. */
export type QueuedFile =
  | { readonly kind: 'local'; readonly connection: FilesConnection; readonly path: string }
  | {
      readonly kind: 'object';
      readonly connection: FilesConnection;
      readonly path: string;
      open(): Promise<AsyncIterable<Uint8Array>>;
    };

/** All files, in pieces. */
export type Listing = AsyncGenerator<readonly QueuedFile[], void, undefined>;

/** Names that wait to be taken. */
const LISTED_AHEAD = 2_000;
/** GetObjects at once. */
const OPENED_AHEAD = 32;

/**
 * The files of all connections, listed and opened ahead: whoever is free takes the next ones. Listing and opening go on by
 * themselves until the context that they were begun with is aborted.
 */
export class FileQueue {
  readonly #stores: readonly ConnectionStore[];
  readonly #scan: CompiledScan;
  readonly #troubles: Troubles;
  readonly #sorted: (listing: Listing) => Listing;
  readonly #queued = new Fifo<QueuedFile>();
  readonly #listed: Listed[] = [];
  readonly #files = new Map<string, number>();
  #listing: Listing | undefined;
  #filling = false;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #waiting: (() => void)[] = [];

  /** @param sorted puts them in another order than they are found in */
  constructor(
    stores: readonly ConnectionStore[],
    scan: CompiledScan,
    troubles: Troubles,
    sorted: (listing: Listing) => Listing = (listing) => listing,
  ) {
    this.#sorted = sorted;
    this.#stores = stores;
    this.#scan = scan;
    this.#troubles = troubles;
  }

  /**
   * An object, or files of this machine, as many as there are and no more than `most`, of which others that take as many leave
   * some to `takers`. None after the last one. A failed listing is told to one caller.
   */
  async take(most: number, takers: number, context: CallContext): Promise<readonly QueuedFile[]> {
    this.#listing ??= this.#sorted(this.#list(context));
    for (;;) {
      const files = this.#next(most, takers);
      if (!this.#filling && !this.#ended && this.#queued.length < LISTED_AHEAD) void this.#fill(this.#listing);
      if (files.length > 0) return files;
      if (this.#ended) break;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
    return [];
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

  #next(most: number, takers: number): readonly QueuedFile[] {
    const share = Math.max(1, Math.min(most, Math.ceil(this.#queued.length / takers)));
    let count = 0;
    while (count < share && this.#queued.at(count)?.kind === 'local') count += 1;
    const files = this.#queued.splice(0, Math.max(1, count));
    for (let index = 0; index < OPENED_AHEAD; index += 1) {
      const file = this.#queued.at(index);
      if (file?.kind === 'object') void file.open();
    }
    return files;
  }

  /** Until there are enough for now. */
  async #fill(listing: Listing): Promise<void> {
    this.#filling = true;
    try {
      while (this.#queued.length < LISTED_AHEAD) {
        const next = await listing.next();
        if (next.done === true) {
          this.#ended = true;
          break;
        }
        for (const file of next.value) this.#queued.push(file);
        this.#wake();
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

  async *#list(context: CallContext): Listing {
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
        this.#files.set(connection.name, (this.#files.get(connection.name) ?? 0) + next.value.length);
        yield next.value.map((file) => queued(file, connection, context));
      }
    }
  }
}

/** An object is opened once. What waits to be taken fails when it is taken. */
function queued(file: StoredFile, connection: FilesConnection, context: CallContext): QueuedFile {
  const { path } = file;
  if (file.kind === 'local') return { kind: 'local', connection, path };
  let opened: Promise<AsyncIterable<Uint8Array>> | undefined;
  const open = () => {
    if (opened === undefined) {
      opened = file.open(context);
      opened.catch(() => undefined);
    }
    return opened;
  };
  return { kind: 'object', connection, path, open };
}
