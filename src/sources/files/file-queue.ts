import type { CallContext } from '../source.ts';
import type { FilesConnection } from './connection.ts';
import type { Troubles } from './read-file.ts';
import type { CompiledScan } from './scan-plan.ts';
import type { Listed, Store } from './store.ts';

export interface ConnectionStore {
  readonly connection: FilesConnection;
  readonly store: Store;
}

export interface QueuedFile extends ConnectionStore {
  readonly path: string;
}

/** The files of all connections, listed as far as they are read: whoever is free takes the next one. */
export class FileQueue {
  readonly #context: CallContext;
  readonly #listing: AsyncGenerator<QueuedFile, void, undefined>;
  readonly #listed: Listed[] = [];
  #files = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(stores: readonly ConnectionStore[], scan: CompiledScan, troubles: Troubles, context: CallContext) {
    this.#context = context;
    this.#listing = this.#list(stores, scan, troubles);
  }

  /** Undefined after the last one. */
  async next(): Promise<QueuedFile | undefined> {
    const next = this.#last.then(() => this.#listing.next());
    this.#last = next.catch(() => undefined);
    const { value } = await next;
    return value ?? undefined;
  }

  /** Where less was read than the configuration says: what was searched. */
  tell(): void {
    const unmatched = this.#listed.flatMap((listed) => listed.unmatched);
    if (unmatched.length > 0) this.#notice(`no file matches ${unmatched.join(', ')}`);
    else if (this.#files === 0) this.#notice('no file satisfies the conditions on its path, account, region and time');
    for (const { otherNames } of this.#listed) {
      if (otherNames.count === 0) continue;
      this.#notice(
        `${otherNames.count} files were not read, as their names end in none of .json, .jsonl, .ndjson, .gz, .zst; the first: ${otherNames.first}`,
      );
    }
  }

  #notice(message: string): void {
    this.#context.notice('NOTICE', message);
  }

  async *#list(
    stores: readonly ConnectionStore[],
    scan: CompiledScan,
    troubles: Troubles,
  ): AsyncGenerator<QueuedFile, void, undefined> {
    for (const { connection, store } of stores) {
      const wanted = {
        folder: (path: string) => scan.isFolderWanted(connection, path),
        file: (path: string) => scan.isFileWanted(connection, path),
        failed: (error: Parameters<Troubles['unreadable']>[0]) => troubles.unreadable(error, true),
      };
      const files = store.list(wanted, this.#context.signal);
      for (let next = await files.next(); ; next = await files.next()) {
        if (next.done === true) {
          this.#listed.push(next.value);
          break;
        }
        this.#files += 1;
        yield { connection, store, path: next.value.path };
      }
    }
  }
}
