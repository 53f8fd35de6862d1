import { existsSync, readFileSync, readdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { TrailhoundError } from '../kernel/errors.ts';
import { nearest } from '../kernel/nearest.ts';
import type { Hunt, Severity } from './hunt.ts';
import { parseHunt } from './parse-hunt.ts';

/** The hunts that come with the package. */
export const OWN_HUNTS = fileURLToPath(new URL('../../queries/', import.meta.url));

/**
 * All hunts below the package's `queries/` and the folders given, by id. `severity` overrides by id.
 *
 * @throws TrailhoundError `configuration`: an unreadable folder, a wrong comment block, an id that stands twice.
 */
export function loadHunts(
  folders: readonly string[],
  severity: Readonly<Record<string, Severity>> = {},
): readonly Hunt[] {
  const hunts = new Map<string, Hunt>();
  for (const folder of distinctFolders([OWN_HUNTS, ...folders])) {
    for (const relative of sqlFiles(folder)) {
      const file = path.join(folder, relative);
      const id = relative.slice(0, -'.sql'.length).split(path.sep).join('/');
      const same = hunts.get(id);
      if (same !== undefined) {
        throw new TrailhoundError('configuration', `hunt ${id} stands twice: ${same.file} and ${file}`, {
          hint: 'Rename one of the two files.',
        });
      }
      const hunt = parseHunt(readFileSync(file, 'utf8'), id, shortest(file));
      hunts.set(id, { ...hunt, severity: severity[id] ?? hunt.severity });
    }
  }
  for (const id of Object.keys(severity)) if (!hunts.has(id)) findHunt([...hunts.values()], id, 'hunts.severity: ');
  return [...hunts.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/**
 * What ids of hunts in a folder begin with: `` or `below/`. Undefined where `loadHunts` does not read it. The folder need
 * not exist.
 */
export function idPrefix(folder: string, folders: readonly string[]): string | undefined {
  const own = realOrComing(path.resolve(folder));
  for (const each of distinctFolders([OWN_HUNTS, ...folders])) {
    const below = path.relative(each, own);
    if (below === '') return '';
    if (!below.startsWith('..') && !path.isAbsolute(below)) return `${below.split(path.sep).join('/')}/`;
  }
  return undefined;
}

function realOrComing(folder: string): string {
  if (existsSync(folder)) return realpathSync(folder);
  return path.join(realOrComing(path.dirname(folder)), path.basename(folder));
}

/** @throws TrailhoundError `configuration` with the nearest name. */
export function findHunt(hunts: readonly Hunt[], id: string, prefix = ''): Hunt {
  const hunt = hunts.find((candidate) => candidate.id === id);
  if (hunt !== undefined) return hunt;
  const ids = hunts.map((candidate) => candidate.id);
  const guess = nearest(id, ids) ?? ids.find((candidate) => candidate.endsWith(`/${id}`));
  throw new TrailhoundError('configuration', `${prefix}there is no hunt "${id}"`, {
    hint: guess === undefined ? '"trailhound hunt list" shows all of them.' : `Did you mean ${guess}?`,
  });
}

function distinctFolders(folders: readonly string[]): readonly string[] {
  return [...new Set(folders.map(realFolder))];
}

function realFolder(folder: string): string {
  try {
    return realpathSync(folder);
  } catch (cause) {
    throw new TrailhoundError('configuration', `hunts.paths: cannot read ${folder}`, {
      hint: 'Name a folder that exists.',
      cause,
    });
  }
}

function sqlFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.sql'))
    .sort();
}

/** As a user in this directory would write it. */
export function shortest(file: string): string {
  const relative = path.relative(process.cwd(), file);
  return relative.startsWith('..') ? file : relative;
}
