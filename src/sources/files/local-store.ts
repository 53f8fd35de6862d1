import type { Dirent } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { SourceError } from '../source.ts';
import type { FilesConnection } from './connection.ts';
import { failedFile } from './file-failure.ts';
import { isEvidence } from './evidence.ts';
import { ANY_FOLDERS, type Glob, parseGlob } from './glob.ts';
import { advance, begun, type Step, withoutFolders } from './glob-steps.ts';
import { noFile } from './local-file.ts';
import type { Listed, Store, StoredFile, Wanted } from './store.ts';

/** A folder may have a million. */
const MOST_TOGETHER = 1_000;

interface Entry {
  readonly name: string;
  /** Undefined: not known yet whether there is such a file. */
  readonly kind: 'file' | 'folder' | 'link' | 'other' | undefined;
}

interface Found {
  readonly kind: 'file' | 'folder' | 'other' | 'absent';
  /** A link back to a folder that contains it: `**` has been there. */
  readonly again?: boolean;
  readonly links?: readonly string[];
}

/** The files of this machine. Symbolic links are followed, but for those that lead back up. */
export function localStore(connection: FilesConnection, paths: readonly string[]): Store {
  const globs = paths.flatMap(parseGlob);
  return {
    list: (wanted, { signal }) => new Listing(connection, globs, wanted, signal).files(),
  };
}

class Listing {
  readonly #connection: FilesConnection;
  readonly #globs: readonly Glob[];
  readonly #wanted: Wanted;
  readonly #signal: AbortSignal;
  /** By their text: the globs that a file matches, or might have in a folder that was left out. */
  readonly #matched = new Set<string>();
  /** Folders that a path without wildcards names. */
  readonly #present = new Set<string>();
  readonly #otherNames = { count: 0, first: '' };

  constructor(connection: FilesConnection, globs: readonly Glob[], wanted: Wanted, signal: AbortSignal) {
    this.#connection = connection;
    this.#globs = globs;
    this.#wanted = wanted;
    this.#signal = signal;
  }

  async *files(): AsyncGenerator<readonly StoredFile[], Listed, undefined> {
    yield* this.#folder('/', this.#globs.map(begun), []);
    const unmatched = new Map(this.#globs.map((glob) => [glob.text, glob]));
    for (const text of this.#matched) unmatched.delete(text);
    for (const { text, literal } of [...unmatched.values()]) {
      if (!literal || this.#present.has(text)) continue;
      this.#wanted.failed(this.#missing(text));
      unmatched.delete(text);
    }
    return {
      unmatched: [...unmatched.keys()],
      otherNames: this.#otherNames,
    };
  }

  /** `links`: what the symbolic links lead to by which this folder was reached. */
  async *#folder(
    folder: string,
    reached: readonly Step[],
    links: readonly string[],
  ): AsyncGenerator<readonly StoredFile[], void, undefined> {
    this.#signal.throwIfAborted();
    const steps = withoutFolders(reached);
    let files: StoredFile[] = [];
    for (const { name, kind } of await this.#entries(folder, steps)) {
      const path = folder + name;
      const next = steps.flatMap((step) => advance(step, name));
      if (next.length === 0) continue;
      const found: Found =
        kind === 'link' || kind === undefined ? await this.#resolve(path, kind, next, links) : { kind };
      if (found.kind === 'file') {
        if (!this.#isMeant(path, next)) continue;
        files.push({ kind: 'local', path });
        if (files.length < MOST_TOGETHER) continue;
        yield files;
        files = [];
      } else if (found.kind === 'folder') {
        for (const { glob, index } of next) if (index === glob.segments.length) this.#present.add(glob.text);
        const below = next.filter(
          ({ glob, index }) =>
            index < glob.segments.length && (found.again !== true || glob.segments[index] !== ANY_FOLDERS),
        );
        if (below.length === 0) continue;
        if (this.#wanted.folder(`${path}/`)) {
          if (files.length > 0) yield files;
          files = [];
          yield* this.#folder(`${path}/`, below, found.links ?? links);
        } else for (const { glob } of below) this.#matched.add(glob.text);
      } else if (found.kind === 'other' && isNamed(path, next) && this.#wanted.file(path)) {
        // A pipe, a socket, a device: never opened, as it may never end.
        for (const { glob } of next) this.#matched.add(glob.text);
        this.#wanted.failed(failedFile(this.#connection, path, noFile()));
      }
    }
    if (files.length > 0) yield files;
  }

  #isMeant(path: string, steps: readonly Step[]): boolean {
    const ends = steps.filter(({ glob, index }) => index === glob.segments.length);
    const meant = ends.filter(({ glob }) => !glob.anyName || isEvidence(path));
    for (const { glob } of meant) this.#matched.add(glob.text);
    if (meant.length > 0) return this.#wanted.file(path);
    if (ends.length > 0 && (this.#otherNames.count += 1) === 1) this.#otherNames.first = path;
    return false;
  }

  /** The names in a folder that may matter, in order, with what they name where that is known already. */
  async #entries(folder: string, steps: readonly Step[]): Promise<readonly Entry[]> {
    const names = steps.map(({ glob, index }) => glob.segments[index]);
    if (names.every((name) => typeof name === 'string'))
      return [...new Set(names)].sort().map((name) => ({ name, kind: undefined }));
    try {
      const entries = await readdir(folder, { withFileTypes: true });
      return entries
        .map((entry) => ({ name: entry.name, kind: kindOf(entry) }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    } catch (error) {
      // It was there when it was found.
      this.#wanted.failed(failedFile(this.#connection, folder, error));
      return [];
    }
  }

  /** What a symbolic link leads to, or what stands under a name of which nothing is known. */
  async #resolve(
    path: string,
    kind: 'link' | undefined,
    steps: readonly Step[],
    links: readonly string[],
  ): Promise<Found> {
    try {
      const found = await stat(path);
      if (!found.isDirectory()) return { kind: found.isFile() ? 'file' : 'other' };
      if (kind === undefined && !(await lstat(path)).isSymbolicLink()) return { kind: 'folder' };
      const target = await realpath(path);
      const parent = await realpath(path.slice(0, path.lastIndexOf('/') + 1));
      const again = links.includes(target) || within(parent, target);
      return { kind: 'folder', again, links: [...links, target] };
    } catch (error) {
      // A link into nowhere is lost evidence only where evidence was meant.
      if ((kind === 'link' && isNamed(path, steps)) || !isAbsent(error)) {
        this.#wanted.failed(failedFile(this.#connection, path, error));
      }
      return { kind: 'absent' };
    }
  }

  #missing(path: string): SourceError {
    const { name } = this.#connection;
    return new SourceError('not_found', name, `${path} does not exist`, {
      detail: `connections.${name}.paths names it.`,
      hint: `Put the evidence there, or correct connections.${name}.paths.`,
    });
  }
}

function kindOf(entry: Dirent): NonNullable<Entry['kind']> {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'folder';
  return entry.isSymbolicLink() ? 'link' : 'other';
}

/** By its own name, or as evidence is. */
function isNamed(path: string, steps: readonly Step[]): boolean {
  return steps.some(({ glob, index }) => index === glob.segments.length && (!glob.anyName || isEvidence(path)));
}

function within(path: string, folder: string): boolean {
  return path === folder || folder === '/' || path.startsWith(`${folder}/`);
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
