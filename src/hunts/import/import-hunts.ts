import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { TrailhoundError } from '../../kernel/errors.ts';
import { checkHunt } from '../check-hunt.ts';
import { shortest } from '../hunt-library.ts';
import type { Hunt } from '../hunt.ts';
import { parseHunt } from '../parse-hunt.ts';
import type { SqlClient } from '../sql-client.ts';
import { CALL_TABLES, type CallTable } from './call-table.ts';
import { eventBridge } from './eventbridge.ts';
import { huntText } from './hunt-text.ts';
import type { ImportedHunt, Importer, Refusal, RuleFile } from './importer.ts';
import { leftBehind } from './left-behind.ts';
import { sigma } from './sigma/sigma.ts';

const IMPORTERS: readonly Importer[] = [eventBridge, sigma];
export const KINDS: readonly string[] = IMPORTERS.map(({ kind }) => kind);

export interface ImportOptions {
  /** A file, or a folder of which all files with the kind's extensions are read. */
  readonly from: string;
  /** Where calls are read. */
  readonly table: CallTable;
  /** Gets `<kind>/<name>.sql` for each rule, `<kind>/<table>/<name>.sql` for one that reads calls elsewhere than in log groups. */
  readonly into: string;
  /** What ids of hunts in that folder begin with. */
  readonly prefix: string;
  /** Overwrite files that say something else. */
  readonly replace: boolean;
  /** Whose ids are taken. */
  readonly known: readonly Hunt[];
}

export interface ImportResult {
  readonly written: readonly string[];
  /** Files that already say the same. */
  readonly unchanged: readonly string[];
  readonly refused: readonly Refusal[];
  /** Of rules that became hunts: what these cannot find. */
  readonly lost: readonly { readonly place: string; readonly events: string }[];
  /** Files of rules that have other hunts now. */
  readonly left: readonly string[];
}

/**
 * Turns rules into hunts. Only what `hunt check` finds nothing wrong with is written; everything else is refused with
 * the reason. Calls no source.
 *
 * @throws TrailhoundError `configuration`: nothing to read, or no rule in it.
 */
export async function importHunts(client: SqlClient, kind: string, options: ImportOptions): Promise<ImportResult> {
  const importer = IMPORTERS.find((each) => each.kind === kind);
  if (importer === undefined) throw new TrailhoundError('internal', `no importer of ${kind}`);
  const { files, unread } = readRules(options.from, importer);
  const imported = importer.read(files, options.table);
  const hunts = imported.hunts;
  const refused = [...unread, ...imported.refused];
  if (hunts.length === 0 && refused.length === 0) {
    throw new TrailhoundError('configuration', `${options.from}: there is no rule of ${kind} in it`);
  }
  const result = { written: [] as string[], unchanged: [] as string[], refused, lost: new Map<string, string>() };
  const current = new Set<string>();
  for (const [name, hunt] of withNames(kind, hunts)) {
    const id = options.prefix + name;
    const file = shortest(path.resolve(options.into, `${name}.sql`));
    current.add(file);
    const text = huntText(id, hunt);
    const before = textOf(file);
    const problems =
      before !== text && before !== undefined && !options.replace
        ? [`${file} exists and says something else: --replace overwrites it`]
        : await problemsOf(client, parseHunt(text, id, file), options.known);
    if (problems.length === 0 && hunt.lost !== undefined) result.lost.set(hunt.place, hunt.lost);
    if (problems.length > 0) {
      result.refused.push(...problems.map((reason) => ({ place: hunt.place, reason })));
    } else if (before === text) {
      result.unchanged.push(file);
    } else {
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, text);
      result.written.push(file);
    }
  }
  const below = [kind, ...folderOf([options.table])].join('/');
  const left = leftBehind(path.join(options.into, below), `${options.prefix}${below}/`, hunts, current);
  return { ...result, left, lost: [...result.lost].map(([place, events]) => ({ place, events })) };
}

async function problemsOf(client: SqlClient, hunt: Hunt, known: readonly Hunt[]): Promise<readonly string[]> {
  const same = known.find(({ id }) => id === hunt.id);
  if (same !== undefined && path.resolve(same.file) !== path.resolve(hunt.file)) {
    return [`hunt ${hunt.id} stands in ${same.file} already`];
  }
  return checkHunt(client, hunt);
}

interface RuleFiles {
  readonly files: readonly RuleFile[];
  /** Of a folder; a file that was named itself has to be read. */
  readonly unread: readonly Refusal[];
}

function readRules(from: string, importer: Importer): RuleFiles {
  try {
    return statSync(from).isDirectory() ? readFolder(from, importer) : { files: [readRuleFile(from)], unread: [] };
  } catch (cause) {
    throw new TrailhoundError('configuration', `cannot read ${from}`, {
      detail: cause instanceof Error ? `${cause.message}.` : undefined,
      hint: `Name a file of rules, or a folder with files in ${importer.extensions.join(', ')} of ${importer.kind}.`,
      cause,
    });
  }
}

function readFolder(folder: string, { extensions }: Importer): RuleFiles {
  const files: RuleFile[] = [];
  const unread: Refusal[] = [];
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  for (const name of names.filter((each) => extensions.includes(path.extname(each).toLowerCase())).sort()) {
    const file = path.join(folder, name);
    try {
      if (statSync(file).isFile()) files.push(readRuleFile(file));
    } catch (error) {
      // A link to nothing, or a file of somebody else: one of many.
      const { code } = error as NodeJS.ErrnoException;
      unread.push({ place: file, reason: `the file cannot be read${code === undefined ? '' : ` (${code})`}` });
    }
  }
  return { files, unread };
}

function readRuleFile(file: string): RuleFile {
  return { path: file, text: readFileSync(file, 'utf8').replace(/^\uFEFF/, '') };
}

/** Rules of one name are told apart by numbers, in the order in which they are read. */
function withNames(
  kind: string,
  hunts: readonly ImportedHunt[],
): readonly (readonly [name: string, hunt: ImportedHunt])[] {
  const taken = new Set<string>();
  return hunts.map((hunt) => {
    const name = [kind, ...folderOf(hunt.tables), slug(hunt.name)].join('/');
    let free = name;
    for (let number = 2; taken.has(free); number += 1) free = `${name}-${number}`;
    taken.add(free);
    return [free, hunt];
  });
}

/** So that the hunts of one rule over several tables stand side by side. */
function folderOf(tables: readonly string[]): readonly string[] {
  const [, ...others] = CALL_TABLES;
  return others.filter((table) => tables.includes(table));
}

/** `AWS: Root Login!` is `aws-root-login`. */
function slug(name: string): string {
  const words = name
    .normalize('NFKD')
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .match(/[a-z0-9]+/g);
  return words?.join('-').slice(0, 80).replace(/-$/, '') ?? 'rule';
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
