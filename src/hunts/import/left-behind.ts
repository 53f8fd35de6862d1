import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { TrailhoundError } from '../../kernel/errors.ts';
import { shortest } from '../hunt-library.ts';
import { parseHunt } from '../parse-hunt.ts';
import type { ImportedHunt } from './importer.ts';

/** Files in a folder that an earlier import wrote of rules which have other hunts now: such a rule would be told twice. */
export function leftBehind(
  folder: string,
  idPrefix: string,
  hunts: readonly ImportedHunt[],
  current: ReadonlySet<string>,
): readonly string[] {
  const rules = new Set(hunts.map(({ origin }) => ruleOf(origin)).filter((rule) => rule !== undefined));
  return sqlFiles(folder).flatMap((name) => {
    const file = shortest(path.resolve(folder, name));
    const isOfOne =
      !current.has(file) && rules.has(ruleOf(originOf(file, idPrefix + path.basename(name, '.sql'))) ?? '');
    return isOfOne ? [file] : [];
  });
}

/** `Amazon EventBridge rule x`, `Sigma rule <id>`; undefined where nothing tells it from others. */
function ruleOf([first = '']: readonly string[]): string | undefined {
  const rule = first.replace(/, disabled$/, '');
  return /^(?:Amazon EventBridge|Sigma) rule ./.test(rule) ? rule : undefined;
}

/** Empty of what is no hunt: somebody else's file. */
function originOf(file: string, id: string): readonly string[] {
  try {
    return parseHunt(readFileSync(file, 'utf8'), id, file).origin;
  } catch (error) {
    if (error instanceof TrailhoundError || (error as NodeJS.ErrnoException).code !== undefined) return [];
    throw error;
  }
}

function sqlFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.sql'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
