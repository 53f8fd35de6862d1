import { CLOCK_SLACK_MS } from '../time-range.ts';
import type { Listing, QueuedFile } from './file-queue.ts';
import { parseTrailPath } from './trail-path.ts';

/** Names that are held and sorted; where there are more, files are read as they are found. */
const MOST_SORTED = 100_000;
/** Who wants a few rows finds them in a few files. */
const FIRST_AT_ONCE = 8;
/** Each time so many times as many files have been read, it is worth asking whether they are enough. */
const WORTH_TELLING = 1.5;

interface Dated {
  readonly file: QueuedFile;
  readonly before: number;
}

/**
 * Reads files in the order of their delivery, the latest first, as far as their paths tell it. CloudTrail delivers an event
 * after it has happened, as clocks go: what is delivered earlier holds none that is newer.
 */
export class NewestFirst {
  #files: readonly Dated[] = [];
  /** In their order, those that have been read. */
  readonly #read = new Set<QueuedFile>();
  #done = 0;
  #told = 0;

  /** As many files are taken together at most as have been read. */
  get atOnce(): number {
    return this.#files.length === 0 ? Number.POSITIVE_INFINITY : Math.max(FIRST_AT_ONCE, this.#done);
  }

  /** All files that are listed, in pieces. */
  async *sorted(listing: Listing): Listing {
    const files: QueuedFile[] = [];
    for await (const some of listing) {
      for (const file of some) files.push(file);
      if (files.length <= MOST_SORTED) continue;
      yield files;
      yield* listing;
      return;
    }
    this.#files = files
      .map((file) => ({ file, before: deliveredBefore(file.path) }))
      .sort((one, other) => (one.before === other.before ? 0 : other.before - one.before));
    yield this.#files.map(({ file }) => file);
  }

  /** All rows of these have been handed on. Gives the time before which those of all others are, where that is worth telling. */
  reached(files: readonly QueuedFile[]): number | undefined {
    if (this.#files.length === 0) return undefined;
    for (const file of files) this.#read.add(file);
    for (;;) {
      const next = this.#files[this.#done];
      if (next === undefined || !this.#read.delete(next.file)) break;
      this.#done += 1;
    }
    const next = this.#files[this.#done];
    if (next === undefined || next.before === Number.POSITIVE_INFINITY) return undefined;
    if (this.#done < Math.max(1, this.#told * WORTH_TELLING)) return undefined;
    this.#told = this.#done;
    return next.before + CLOCK_SLACK_MS;
  }
}

/** Milliseconds since the epoch; infinite where the path does not say it. */
function deliveredBefore(path: string): number {
  return Math.min(...parseTrailPath(path).delivered.map(({ before }) => before));
}
