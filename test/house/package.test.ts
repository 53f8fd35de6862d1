import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { files, read, root } from './repository.ts';

interface Manifest {
  readonly version: string;
  readonly license: string;
  readonly engines: { readonly node: string };
  readonly files: readonly string[];
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly scripts: { readonly prepare: string };
}

interface Lock {
  readonly version: string;
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly resolved?: string }>>;
}

const manifest = JSON.parse(read('package.json')) as Manifest;
const lock = JSON.parse(read('package-lock.json')) as Lock;

test('the package runs on Node 20.19, 22 and 24', () => {
  expect(manifest.engines.node).toBe('^20.19.0 || ^22.12.0 || >=24.0.0');
});

test('the lock file pins what package.json names, and nothing from a host other than the default', () => {
  expect(lock.version).toBe(manifest.version);
  for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
    expect(`${name} ${String(lock.packages[`node_modules/${name}`]?.version)}`).toBe(`${name} ${version}`);
  }
  // npm's default, in halves: no file of the repository names a registry.
  const byDefault = ['https://registry.', 'npmjs', '.org/'].join('');
  const resolved = Object.values(lock.packages).flatMap((entry) => entry.resolved ?? []);
  expect(resolved.filter((url) => !url.startsWith(byDefault))).toEqual([]);
});

test('everything that the package promises to ship is there', () => {
  const shipped = manifest.files.filter((entry) => !entry.startsWith('!') && entry !== 'dist');
  const present = files();
  const missing = shipped.filter((entry) => !present.some((path) => path === entry || path.startsWith(`${entry}/`)));
  expect(missing).toEqual([]);
  expect(Object.values(manifest.bin).filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test('the licence is the one that package.json names', () => {
  expect(manifest.license).toBe('Apache-2.0');
  expect(read('LICENSE')).toContain('Apache License\n                           Version 2.0, January 2004');
});

test('the change log has an entry for the version', () => {
  expect(read('CHANGELOG.md')).toContain(`## ${manifest.version}`);
});

// `npx` links the package of the folder that it is called in, and runs `prepare` for that.
test.for([
  ['npx in a clone that is built', 'exec', true, ''],
  ['npx in a clone that is not', 'exec', false, 'run build'],
  ['npm ci over an older build', 'ci', true, 'run build'],
] as const)('prepare builds where it has to: %s', ([, command, isBuilt, built]) => {
  const folder = mkdtempSync(join(tmpdir(), 'trailhound-prepare-'));
  try {
    writeFileSync(join(folder, 'npm'), '#!/bin/sh\nprintf %s "$*"\n', { mode: 0o755 });
    if (isBuilt) {
      mkdirSync(join(folder, 'dist', 'cli'), { recursive: true });
      writeFileSync(join(folder, 'dist', 'cli', 'main.js'), '');
    }
    const run = spawnSync('/bin/sh', ['-c', manifest.scripts.prepare], {
      cwd: folder,
      env: { PATH: [folder, '/usr/bin', '/bin'].join(delimiter), npm_command: command },
      encoding: 'utf8',
    });
    expect(run).toMatchObject({ status: 0, stdout: built });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
