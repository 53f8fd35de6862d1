import type { ObjectPage, ObjectStore } from '../object-store.ts';
import { type CallContext, SourceError } from '../source.ts';
import type { BucketPath } from './bucket-path.ts';
import type { FilesConnection } from './connection.ts';
import type { Listed, StoredFile, Wanted } from './store.ts';

/** ListObjectsV2 at once. */
const FOLDERS_AT_ONCE = 32;

/** Keys that begin with a prefix, from where a page before has ended. */
interface Task {
  readonly bucket: string;
  readonly prefix: string;
  /** By its folders, as some of them may be left out; else all that is below it. */
  readonly byFolder: boolean;
  readonly after: string | undefined;
}

type FileOf = (bucket: string, key: string, size: number) => StoredFile;

/**
 * Lists what a connection's paths mean: folder by folder, many at a time, as long as conditions may leave out folders,
 * and from there on all that is below. The folders found last are listed first, so few of them ever wait.
 */
export class BucketListing {
  readonly #connection: FilesConnection;
  readonly #paths: readonly BucketPath[];
  readonly #objects: ObjectStore;
  readonly #fileOf: FileOf;
  readonly #wanted: Wanted;
  readonly #context: CallContext;
  readonly #tasks: Task[] = [];
  #found: StoredFile[] = [];
  #listing = 0;
  #failure: { readonly error: unknown } | undefined;
  #wake = () => {};
  /** Below which evidence was found, or a folder was left out. */
  readonly #matched = new Set<BucketPath>();
  /** With which some key begins. */
  readonly #present = new Set<BucketPath>();
  readonly #otherNames = { count: 0, first: '' };

  constructor(
    connection: FilesConnection,
    paths: readonly BucketPath[],
    objects: ObjectStore,
    fileOf: FileOf,
    wanted: Wanted,
    context: CallContext,
  ) {
    this.#connection = connection;
    this.#paths = paths;
    this.#objects = objects;
    this.#fileOf = fileOf;
    this.#wanted = wanted;
    this.#context = context;
  }

  async *files(): AsyncGenerator<readonly StoredFile[], Listed, undefined> {
    for (const { bucket, prefix } of roots(this.#paths).toReversed()) {
      this.#add(bucket, prefix, prefix.slice(0, prefix.lastIndexOf('/') + 1), this.#pathsOf(bucket));
    }
    for (;;) {
      this.#begin();
      const found = this.#found;
      this.#found = [];
      if (found.length > 0) yield found;
      else if (this.#failure !== undefined) throw this.#failure.error;
      else if (this.#listing === 0) break;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
    return this.#listed();
  }

  #begin(): void {
    while (this.#listing < FOLDERS_AT_ONCE && this.#failure === undefined) {
      const task = this.#tasks.pop();
      if (task === undefined) return;
      this.#listing += 1;
      void this.#list(task);
    }
  }

  async #list(task: Task): Promise<void> {
    try {
      this.#take(task, await this.#objects.list(task, this.#context));
    } catch (error) {
      try {
        if (this.#context.signal.aborted || !(error instanceof SourceError)) throw error;
        this.#wanted.failed(error);
        // What was told is not told as missing once more.
        for (const path of this.#pathsOf(task.bucket)) this.#matched.add(path);
      } catch (failure) {
        this.#failure ??= { error: failure };
      }
    }
    this.#listing -= 1;
    this.#wake();
  }

  #take(task: Task, { objects, folders, next }: ObjectPage): void {
    const { bucket } = task;
    if (next !== undefined) this.#tasks.push({ ...task, after: next });
    for (const folder of folders.toReversed()) {
      const paths = this.#pathsOf(bucket).filter((path) => path.mayCoverBelow(folder));
      for (const path of paths) if (folder.startsWith(path.prefix)) this.#present.add(path);
      if (paths.length > 0) this.#add(bucket, folder, folder, paths);
    }
    for (const { key, size } of objects) {
      // What the console makes for a folder.
      if (!key.endsWith('/') && this.#isMeant(bucket, key)) this.#found.push(this.#fileOf(bucket, key, size));
    }
  }

  /** `folder`: that all of the prefix's keys are in; `paths`: that may cover some of them. */
  #add(bucket: string, prefix: string, folder: string, paths: readonly BucketPath[]): void {
    const place = `s3://${bucket}/${folder}`;
    if (this.#wanted.folder(place)) {
      this.#tasks.push({ bucket, prefix, byFolder: !this.#wanted.allBelow(place), after: undefined });
    } else for (const path of paths) this.#matched.add(path);
  }

  #isMeant(bucket: string, key: string): boolean {
    const covering = this.#pathsOf(bucket).map((path) => ({ path, how: path.covers(key) }));
    for (const { path, how } of covering) if (how !== undefined) this.#present.add(path);
    const meant = covering.filter(({ how }) => how === 'meant');
    const place = `s3://${bucket}/${key}`;
    for (const { path } of meant) this.#matched.add(path);
    if (meant.length > 0) return this.#wanted.file(place);
    if (covering.some(({ how }) => how === 'other') && (this.#otherNames.count += 1) === 1) {
      this.#otherNames.first = place;
    }
    return false;
  }

  #pathsOf(bucket: string): readonly BucketPath[] {
    return this.#paths.filter((path) => path.bucket === bucket);
  }

  #listed(): Listed {
    const unmatched = this.#paths.filter((path) => !this.#matched.has(path));
    const absent = unmatched.filter((path) => path.literal && !this.#present.has(path));
    for (const { text } of absent) this.#wanted.failed(this.#missing(text));
    return {
      unmatched: unmatched.filter((path) => !absent.includes(path)).map(({ text }) => text),
      otherNames: this.#otherNames,
    };
  }

  /** An empty folder and a misspelt one are the same to S3. */
  #missing(path: string): SourceError {
    const { name } = this.#connection;
    return new SourceError('not_found', name, `no key begins with ${path}`, {
      detail: `connections.${name}.paths names it.`,
      hint: `Put the evidence there, or correct connections.${name}.paths.`,
    });
  }
}

/** Of the prefixes those that begin with no other one, so that no key is listed twice. */
function roots(paths: readonly BucketPath[]): readonly { readonly bucket: string; readonly prefix: string }[] {
  const covers = (one: BucketPath, other: BucketPath) =>
    one.bucket === other.bucket && other.prefix.startsWith(one.prefix);
  return paths.filter(
    (path, index) =>
      !paths.some((other, at) => other !== path && covers(other, path) && (!covers(path, other) || at < index)),
  );
}
