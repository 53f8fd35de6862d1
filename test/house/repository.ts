import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');

// What .gitignore leaves out, and git itself; a packed copy without .git must do as well.
const notOurs = new Set(['.git', 'node_modules', 'dist', 'coverage', '.trailhound']);

/** Paths of the repository's own files, relative to its root, with `/`. */
export function files(): string[] {
  const found: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (notOurs.has(entry.name)) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (entry.isFile() && !entry.name.endsWith('.log')) found.push(relative(root, path).replaceAll('\\', '/'));
    }
  };
  walk(root);
  return found.sort();
}

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
