import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { loadConfig } from '../app/config/load.ts';
import { buildDemo } from '../app/demo.ts';
import { dataDirOption } from './banner.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test('commands that the banner shows name a data directory only where they would not find it themselves', () => {
  const load = (environment: Record<string, string>, options = {}) =>
    dataDirOption(loadConfig({ environment, options, directory: '/', readFile: false }));
  expect(load({})).toBe('');
  expect(load({ TRAILHOUND_DATA_DIR: '/data' })).toBe('');
  expect(load({}, { dataDir: "/it's" })).toBe(` --data-dir '/it'\\''s'`);
});

test("the demo's name its own one: a command without it would reach the real server", async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'trailhound-banner-'));
  vi.stubEnv('TRAILHOUND_DATA_DIR', directory);
  const demo = await buildDemo({}, 'once');
  try {
    expect(dataDirOption(demo.config)).toBe(` --data-dir ${path.join(directory, 'demo')}`);
  } finally {
    await demo.closeSimulator();
    await rm(directory, { recursive: true });
  }
});
